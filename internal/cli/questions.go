package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/charmbracelet/huh"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// askAnswers asks a person for the answers that are missing, into given. Known
// are answers that hold already: of the last build or of a preset. With all,
// every question that may be answered now is asked again, with what holds as
// its proposal.
func (a *app) askAnswers(ctx context.Context, v api.TemplateVersion, given, known map[string]string, all bool) error {
	questions := slices.Clone(v.Parameters)
	slices.SortStableFunc(questions, func(x, y berth.Parameter) int {
		return cmp.Or(cmp.Compare(x.Order, y.Order), cmp.Compare(x.Name, y.Name))
	})
	for _, q := range questions {
		if _, have := given[q.Name]; have {
			continue
		}
		now, answered := known[q.Name]
		if answered && !q.Mutable {
			continue
		}
		if !all && (answered && fits(q, now) || !answered && !q.Required) {
			continue
		}
		if !answered {
			now = q.Default
		}
		answer, err := a.askParameter(ctx, q, now)
		if err != nil {
			return err
		}
		given[q.Name] = answer
	}
	return nil
}

// fits tells whether an answer can still hold: an option may be gone. The
// server checks the rest.
func fits(q berth.Parameter, answer string) bool {
	return len(q.Options) == 0 || q.Type == "list(string)" || slices.ContainsFunc(q.Options, func(o berth.ParameterOption) bool { return o.Value == answer })
}

func (a *app) askParameter(ctx context.Context, q berth.Parameter, now string) (string, error) {
	title, help := cell(first(q.DisplayName, q.Name)), cell(q.Description)
	switch {
	case len(q.Options) > 0 && q.Type == "list(string)":
		return a.askSeveral(ctx, q, title, help, now)
	case len(q.Options) > 0:
		err := a.ask(ctx, huh.NewSelect[string]().Title(title).Description(help).Options(options(q)...).Value(&now))
		return now, err
	case q.Type == "bool":
		yes, _ := strconv.ParseBool(now)
		err := a.ask(ctx, huh.NewConfirm().Title(title).Description(help).Value(&yes))
		return strconv.FormatBool(yes), err
	default:
		return a.askText(ctx, title, help, now, func(s string) error { return checkAnswer(q, s) })
	}
}

func (a *app) askSeveral(ctx context.Context, q berth.Parameter, title, help, now string) (string, error) {
	var chosen []string
	_ = json.Unmarshal([]byte(now), &chosen)
	err := a.ask(ctx, huh.NewMultiSelect[string]().Title(title).Description(help).Options(options(q)...).Value(&chosen))
	if chosen == nil {
		chosen = []string{}
	}
	b, _ := json.Marshal(chosen)
	return string(b), err
}

func options(q berth.Parameter) []huh.Option[string] {
	var all []huh.Option[string]
	for _, o := range q.Options {
		label := cell(o.Name)
		if o.Description != "" {
			label += " – " + cell(o.Description)
		}
		all = append(all, huh.NewOption(label, o.Value))
	}
	return all
}

// checkAnswer spares a round trip for what is plainly wrong; the server judges.
func checkAnswer(q berth.Parameter, s string) error {
	switch {
	case s == "" && q.Required:
		return errors.New("an answer is needed")
	case q.Type == "number" && s != "":
		if _, err := strconv.ParseFloat(s, 64); err != nil {
			return errors.New("give a number")
		}
	case q.Type == "list(string)" && s != "":
		if json.Unmarshal([]byte(s), &[]string{}) != nil {
			return errors.New(`give a list like ["a","b"]`)
		}
	}
	return nil
}

// askPreset lets a person choose one of a version's presets.
func (a *app) askPreset(ctx context.Context, v api.TemplateVersion) (string, error) {
	choice := ""
	var all []huh.Option[string]
	for _, p := range v.Presets {
		label := cell(p.Name)
		if p.Description != "" {
			label += " – " + cell(p.Description)
		}
		if p.Default {
			choice = p.Name
		}
		all = append(all, huh.NewOption(label, p.Name))
	}
	all = append(all, huh.NewOption("none: answer every question", "none"))
	err := a.ask(ctx, huh.NewSelect[string]().Title("Preset").Options(all...).Value(&choice))
	return choice, err
}

// presetAnswers are the answers of a version's preset, or of its default one.
func presetAnswers(v api.TemplateVersion, name string) (map[string]string, error) {
	if name == "none" {
		return nil, nil
	}
	for _, p := range v.Presets {
		if p.Name == name || name == "" && p.Default {
			return p.Parameters, nil
		}
	}
	if name == "" {
		return nil, nil
	}
	known := ""
	for _, p := range v.Presets {
		known += fmt.Sprintf(" %q,", p.Name)
	}
	return nil, berth.InvalidField("preset", "%s has no preset %q; it has%s and none", v.Template, name, known)
}
