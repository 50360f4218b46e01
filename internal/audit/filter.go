package audit

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// failed is the word for every result but ok.
const failed = "failed"

// results are the words that the filter result: takes.
var results = []string{berth.AuditOK, failed, string(berth.Invalid), string(berth.Unauthenticated), string(berth.Forbidden), string(berth.NotFound),
	string(berth.Conflict), string(berth.Limit), string(berth.Unavailable), string(berth.Internal)}

// filterOf reads a query and bounds it to what the actor may see. nothing is
// true when it names something that is not there.
func filterOf(q *store.Query, actor authz.Actor, query string, now time.Time) (f store.AuditFilter, nothing bool, err error) {
	if f.Visible, err = visible(actor); err != nil {
		return f, false, err
	}
	var user, organization, token string
	var result []string
	err = berth.Filters{
		"user": berth.FilterText(&user), "organization": berth.FilterText(&organization),
		"action": words(&f.Actions), "kind": words(&f.Kinds),
		"class":   berth.FilterWords(&f.Classes, "class", berth.AuditClasses...),
		"result":  berth.FilterWords(&result, "result", results...),
		"target":  berth.FilterText(&f.Target),
		"name":    func(v string) error { f.Words = append(f.Words, v); return nil },
		"since":   moment(&f.Since, "since", now),
		"until":   moment(&f.Until, "until", now),
		"request": berth.FilterText(&f.RequestID), "token": berth.FilterText(&token), "reason": berth.FilterText(&f.Reason),
	}.Read(query)
	if err != nil {
		return f, false, err
	}
	f.TokenID = berth.TokenID(token)
	for _, r := range result {
		switch r {
		case failed:
			f.Failed = true
		default:
			f.Results = append(f.Results, r)
		}
	}
	if f.Failed && len(f.Results) > 0 {
		return f, false, berth.InvalidField("q", "result:failed means every result but ok: give it alone")
	}
	if user != "" {
		if f.Actors, err = users(q, actor, user); err != nil || len(f.Actors) == 0 {
			return f, true, err
		}
	}
	if organization != "" {
		o, err := q.OrganizationRef(organization)
		if errors.Is(err, berth.NotFound) {
			if !berth.IsID(organization) { // one that was deleted is found by id
				return f, true, nil
			}
			o.ID, err = berth.OrganizationID(organization), nil
		}
		if err != nil {
			return f, false, err
		}
		f.Organization = o.ID
	}
	return f, false, nil
}

// users are those that somebody means: one of an id, or all that have or had a
// name.
func users(q *store.Query, actor authz.Actor, ref string) ([]berth.UserID, error) {
	switch {
	case authz.Me(ref):
		return []berth.UserID{actor.UserID}, nil
	case berth.IsID(ref):
		return []berth.UserID{berth.UserID(ref)}, nil
	default:
		return q.UsersNamed(ref)
	}
}

// words is a filter that takes any words, several of them with commas.
func words(to *[]string) berth.Filter {
	return func(value string) error {
		*to = append(*to, strings.Split(strings.ToLower(value), ",")...)
		return nil
	}
}

// moment is a filter that takes a time, a date, or how long ago.
func moment(to *time.Time, key string, now time.Time) berth.Filter {
	return func(value string) (err error) {
		if *to, err = time.Parse(time.RFC3339, value); err == nil {
			return nil
		}
		if *to, err = time.Parse(time.DateOnly, value); err == nil {
			return nil
		}
		if days, ok := strings.CutSuffix(value, "d"); ok {
			if n, err := strconv.ParseUint(days, 10, 16); err == nil {
				*to = now.Add(-time.Duration(n) * 24 * time.Hour)
				return nil
			}
		}
		if d, err := time.ParseDuration(value); err == nil && d >= 0 {
			*to = now.Add(-d)
			return nil
		}
		return berth.InvalidField("q", "%s: is a date (2026-01-31), a time (2026-01-31T15:04:05Z) or how long ago (90m, 7d), not %q", key, value)
	}
}
