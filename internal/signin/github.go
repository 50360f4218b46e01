package signin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/oauth2"

	"github.com/berthdev/berth"
)

// gitHub signs in at GitHub, which speaks OAuth2 and tells the rest by its API.
// What it says is brought into the form of claims.
type gitHub struct {
	p    *Provider
	api  string
	http *http.Client
}

func newGitHub(p *Provider) *gitHub {
	g := &gitHub{p: p, api: "https://api.github.com", http: newHTTP(nil)}
	if p.BaseURL != "https://github.com" {
		g.api = p.BaseURL + "/api/v3"
	}
	return g
}

func (g *gitHub) config(redirect string) *oauth2.Config {
	return g.p.client(g.p.BaseURL+"/login/oauth/authorize", g.p.BaseURL+"/login/oauth/access_token", redirect, oauth2.AuthStyleInParams)
}

func (g *gitHub) authorize(_ context.Context, s secrets) (string, error) {
	return g.config(s.Redirect).AuthCodeURL(s.State, append(g.p.extra(), oauth2.S256ChallengeOption(s.Verifier))...), nil
}

func (g *gitHub) exchange(ctx context.Context, s secrets, code string) (answer, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, g.http)
	t, err := g.config(s.Redirect).Exchange(ctx, code, oauth2.VerifierOption(s.Verifier))
	if err != nil {
		return answer{}, g.p.refusal(err)
	}
	return g.read(ctx, t, tokens{})
}

// refresh asks again with the token that there is, or with a new one where
// tokens end.
func (g *gitHub) refresh(ctx context.Context, old tokens) (answer, error) {
	t := &oauth2.Token{AccessToken: old.Access, Expiry: old.ExpiresAt}
	if old.Refresh != "" {
		var err error
		ctx := context.WithValue(ctx, oauth2.HTTPClient, g.http)
		if t, err = g.config("").TokenSource(ctx, &oauth2.Token{RefreshToken: old.Refresh}).Token(); err != nil {
			return answer{}, g.p.refusal(err)
		}
	}
	return g.read(ctx, t, old)
}

func (g *gitHub) read(ctx context.Context, t *oauth2.Token, old tokens) (answer, error) {
	kept, err := g.p.kept(t, old)
	if err != nil {
		return answer{}, err
	}
	a := answer{tokens: kept}
	a.claims, err = g.claims(ctx, kept.Access)
	return a, err
}

// account is a user of GitHub.
type account struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Name  string `json:"name"`
}

type named struct {
	Login string `json:"login"`
}

func (g *gitHub) claims(ctx context.Context, access string) (map[string]any, error) {
	var who account
	if err := g.get(ctx, access, "/user", &who); err != nil {
		return nil, err
	}
	if who.ID <= 0 || who.Login == "" {
		return nil, g.p.away(errors.New("it does not say who the user is"))
	}
	// The number stays, a login can become somebody else's.
	claims := map[string]any{"sub": strconv.FormatInt(who.ID, 10), "preferred_username": who.Login, "name": cmp.Or(who.Name, who.Login)}
	var emails []struct {
		Email    string `json:"email"`
		Primary  bool   `json:"primary"`
		Verified bool   `json:"verified"`
	}
	if err := g.get(ctx, access, "/user/emails", &emails); err != nil {
		return nil, err
	}
	for _, e := range emails {
		if e.Primary {
			claims["email"], claims["email_verified"] = e.Email, e.Verified
		}
	}
	if !slices.Contains(g.p.Scopes, "read:org") {
		return claims, g.admit(nil, nil)
	}
	organizations, teams, err := g.memberships(ctx, access)
	if err != nil {
		return nil, err
	}
	claims["organizations"], claims["groups"] = anys(organizations), anys(teams)
	return claims, g.admit(organizations, teams)
}

// memberships are the organizations and teams that somebody has joined.
func (g *gitHub) memberships(ctx context.Context, access string) (organizations, teams []string, err error) {
	type membership struct {
		State        string `json:"state"`
		Organization named  `json:"organization"`
	}
	joined, err := pages[membership](ctx, g, access, "/user/memberships/orgs?state=active")
	if err != nil {
		return nil, nil, err
	}
	for _, m := range joined {
		if m.State == "active" && m.Organization.Login != "" {
			organizations = append(organizations, m.Organization.Login)
		}
	}
	type team struct {
		Slug         string `json:"slug"`
		Organization named  `json:"organization"`
	}
	of, err := pages[team](ctx, g, access, "/user/teams?")
	if err != nil {
		return nil, nil, err
	}
	for _, t := range of {
		if t.Slug != "" && t.Organization.Login != "" {
			teams = append(teams, t.Organization.Login+"/"+t.Slug)
		}
	}
	return organizations, teams, nil
}

// admit tells whether somebody of these organizations and teams may come in.
func (g *gitHub) admit(organizations, teams []string) error {
	if g.p.AllowEveryone || oneOf(g.p.AllowedOrganizations, organizations) || oneOf(g.p.AllowedTeams, teams) {
		return nil
	}
	return berth.Errorf(berth.Forbidden, "you are in none of the organizations and teams of %s that may sign in here: ask an administrator; the organization may have to allow this application, too", g.p.Name)
}

func oneOf(wanted, have []string) bool {
	return slices.ContainsFunc(have, func(h string) bool {
		return slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(w, h) })
	})
}

func anys(texts []string) []any {
	list := make([]any, len(texts))
	for i, t := range texts {
		list[i] = t
	}
	return list
}

const (
	perPage  = 100
	maxPages = 10
)

// pages is a list of the API, whole.
func pages[T any](ctx context.Context, g *gitHub, access, path string) (all []T, err error) {
	for n := 1; n <= maxPages; n++ {
		var page []T
		if err := g.get(ctx, access, fmt.Sprintf("%s&per_page=%d&page=%d", path, perPage, n), &page); err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < perPage {
			return all, nil
		}
	}
	return nil, berth.Errorf(berth.Forbidden, "you are in more than %d teams or organizations of %s: that is more than can be looked at", perPage*maxPages, g.p.Name)
}

// get asks the API. errRefused: the token is good for nothing.
func (g *gitHub) get(ctx context.Context, access, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.api+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+access)
	req.Header.Set("Accept", "application/vnd.github+json")
	w, err := g.http.Do(req)
	if err != nil {
		return g.p.away(err)
	}
	defer w.Body.Close()
	switch {
	case w.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("status 401: %w", errRefused)
	case w.StatusCode/100 != 2: // rate limits, a bad day, a scope that is missing
		return g.p.away(fmt.Errorf("status %d for %s", w.StatusCode, path))
	}
	if err := json.NewDecoder(w.Body).Decode(into); err != nil {
		return g.p.away(err)
	}
	return nil
}
