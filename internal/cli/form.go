package cli

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

// form is what a start is asked for. It is asked of the server again after each
// answer, since one question may hang on the answer to another.
type form struct {
	look   func(ctx context.Context, answers map[string]string) (berth.Form, error)
	given  map[string]string // answers that hold, and those that are found
	offers map[string]string // what is proposed, before the template's defaults
	fresh  bool              // also what is asked for the first time and has a default
	all    bool              // everything that may be answered
}

// formOf is the form of a version; in holds all but the answers.
func formOf(c *client.Client, organization, template, version string, in api.AskParameters, given map[string]string) *form {
	return &form{given: given, look: func(ctx context.Context, answers map[string]string) (berth.Form, error) {
		in.Parameters = answers
		return c.AskParameters(ctx, organization, template, version, in)
	}}
}

// maxTries is how often one question is asked again, after a wrong answer.
const maxTries = 5

// askForm asks a person what is open.
func (a *app) askForm(ctx context.Context, f *form) error {
	fixed := maps.Clone(f.given) // answers of flags: the server refuses wrong ones
	tries := map[string]int{}
	for {
		now, err := f.look(ctx, f.given)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(now.Questions, func(q berth.Question) bool {
			_, have := fixed[q.Name]
			return !have && f.opens(q, tries[q.Name])
		})
		if i < 0 {
			for _, name := range now.Unasked { // hidden by a later answer
				if _, have := fixed[name]; !have {
					delete(f.given, name)
				}
			}
			return nil
		}
		q := now.Questions[i]
		if q.Problem != "" && q.Source != berth.FromNowhere {
			a.tell("%s: %s", cell(first(q.DisplayName, q.Name)), cell(q.Problem))
		}
		proposal := q.Value
		if offer, ok := f.offers[q.Name]; ok && tries[q.Name] == 0 && (q.Source == berth.FromNowhere || q.Source == berth.FromDefault) {
			proposal = offer
		}
		tries[q.Name]++
		if f.given[q.Name], err = a.askParameter(ctx, q.Parameter, proposal); err != nil {
			return err
		}
	}
}

// opens tells whether a question is asked that was asked so often already.
func (f *form) opens(q berth.Question, tries int) bool {
	switch {
	case tries > 0:
		return q.Problem != "" && tries < maxTries
	case q.Fixed || q.Source == berth.FromPreset:
		return false
	case f.all || q.Problem != "":
		return true
	}
	return f.fresh && q.Source == berth.FromDefault && !q.Ephemeral
}

// fill takes what is known from elsewhere for what nobody answered: answers of
// another workspace or of an earlier time, as far as they are asked and hold.
// What is left out is told.
func (a *app) fill(ctx context.Context, f *form, from map[string]string) error {
	taken := maps.Clone(from)
	for {
		answers := maps.Clone(taken)
		maps.Copy(answers, f.given)
		now, err := f.look(ctx, answers)
		if err != nil {
			return err
		}
		var bad []string
		for _, name := range now.Unknown {
			bad = append(bad, name)
		}
		for _, q := range now.Questions {
			if q.Problem != "" && q.Source == berth.FromAnswer {
				bad = append(bad, q.Name)
			}
		}
		left := false
		for _, name := range bad {
			if _, mine := f.given[name]; mine {
				continue
			}
			if _, had := taken[name]; had {
				delete(taken, name)
				a.tell("Left out, since the template does not take it any more: %s", cell(name))
				left = true
			}
		}
		if !left {
			for name, value := range taken {
				if _, mine := f.given[name]; !mine {
					f.given[name] = value
				}
			}
			return nil
		}
	}
}

// offer takes the proposals where nobody is asked, for what has no other answer
// than the template's default.
func (a *app) offer(ctx context.Context, f *form) error {
	if len(f.offers) == 0 {
		return nil
	}
	for range len(f.offers) + 1 { // one may bring the question of another
		now, err := f.look(ctx, f.given)
		if err != nil {
			return err
		}
		more := false
		for _, q := range now.Questions {
			offer, ok := f.offers[q.Name]
			if ok && (q.Source == berth.FromNowhere || q.Source == berth.FromDefault) {
				f.given[q.Name], more = offer, true
			}
		}
		if !more {
			break
		}
	}
	return nil
}

// once checks that answers for one start are to questions of that kind.
func (f *form) once(ctx context.Context, answers map[string]string) error {
	if len(answers) == 0 {
		return nil
	}
	all := maps.Clone(f.given)
	maps.Copy(all, answers)
	now, err := f.look(ctx, all)
	if err != nil {
		return err
	}
	for _, q := range now.Questions {
		if _, ok := answers[q.Name]; ok && !q.Ephemeral {
			return usagef("--ephemeral-parameter %s: its answer is kept; give it with --parameter", q.Name)
		}
	}
	maps.Copy(f.given, answers)
	return nil
}

// tellAnswers says which answers a start changes.
func (a *app) tellAnswers(before, given map[string]string) {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(given)) {
		switch old, had := before[name]; {
		case !had:
			list = append(list, cell(name)+" = "+cell(given[name]))
		case old != given[name]:
			list = append(list, cell(name)+": "+cell(old)+" → "+cell(given[name]))
		}
	}
	if len(list) > 0 {
		a.tell("Answers that change: %s", strings.Join(list, ", "))
	}
}

// unseen tells whether a form cannot be had: by somebody who may start a workspace
// and not see its template. The start itself says what is missing.
func unseen(err error) bool {
	return errors.Is(err, berth.NotFound) || errors.Is(err, berth.Forbidden)
}
