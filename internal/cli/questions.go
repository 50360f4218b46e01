package cli

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/charmbracelet/huh"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

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
