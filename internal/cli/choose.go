package cli

import (
	"context"

	"github.com/charmbracelet/huh"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/client"
)

// chooseTemplate lets a person choose one of the templates; a single one needs
// no choice.
func (a *app) chooseTemplate(ctx context.Context, c *client.Client, org string) (string, error) {
	p, err := c.Templates(ctx, org, client.List{Limit: 500})
	if err != nil {
		return "", err
	}
	var all []huh.Option[string]
	for _, t := range p.Items {
		if t.ActiveVersion != "" {
			all = append(all, huh.NewOption(first(cell(t.DisplayName), t.Name), t.Name))
		}
	}
	switch len(all) {
	case 0:
		return "", berth.Errorf(berth.NotFound, "there is no template yet; make one with: berth templates init process && berth templates push process -d process")
	case 1:
		return all[0].Value, nil
	}
	choice := ""
	err = a.ask(ctx, huh.NewSelect[string]().Title("Template").Options(all...).Value(&choice))
	return choice, err
}
