package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) versionsShow() *cobra.Command {
	var readme bool
	cmd := &cobra.Command{
		Use:               "show NAME [VERSION]",
		Short:             "Show what a version asks, makes and needs, or its README",
		Example:           "  berth templates versions show docker v3\n  berth templates versions show docker v3 --readme",
		Args:              args(1, 2),
		ValidArgsFunction: a.versionNames(1),
	}
	org := a.organizationFlag(cmd)
	cmd.Flags().BoolVar(&readme, "readme", false, "print its README, and nothing else")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		name := "active"
		if len(given) > 1 {
			name = given[1]
		}
		return a.withClient(func(c *client.Client) error {
			v, err := c.TemplateVersion(cmd.Context(), *org, given[0], name)
			switch {
			case err != nil:
				return err
			case *asJSON:
				return a.json(v)
			case readme:
				return a.readme(v)
			}
			a.field("template", v.Template)
			a.showVersion(v, time.Now())
			return nil
		})
	}
	return cmd
}

// readme prints the README of a version.
func (a *app) readme(v api.TemplateVersion) error {
	if v.Readme == "" {
		return berth.Errorf(berth.NotFound, "the version %s of %s has no README.md", v.Name, v.Template)
	}
	a.say("%s", strings.TrimRight(clean(v.Readme), "\n"))
	return nil
}

// showVersion shows all of a version but its README.
func (a *app) showVersion(v api.TemplateVersion, now time.Time) {
	state := ""
	switch {
	case v.ArchivedAt != nil:
		state = ", archived " + ago(*v.ArchivedAt, now)
	case v.Status != string(berth.BuildSucceeded):
		state = ", import " + v.Status
	}
	a.field("version", fmt.Sprintf("%s by %s, %s%s", v.Name, cell(v.CreatedBy), ago(v.CreatedAt, now), state))
	a.field("message", cell(v.Message))
	a.field("agents", strings.Join(v.Agents, ", "))
	a.field("costs", knownCosts(v.Costs))
	a.showNeeds(v.VersionNeeds)
	switch {
	case v.Warm:
		a.field("plugins", "stay warm between builds")
	case v.Cold != "":
		a.field("plugins", "start for every build: "+cell(v.Cold))
	}
	for _, n := range v.Notes {
		a.field("note", cell(n))
	}
	a.showFindings(v.Findings)
	section(a, []string{"VARIABLE", "TYPE", "VALUE", "DESCRIPTION"}, v.Variables, func(x berth.Variable) []string {
		return []string{cell(x.Name), cell(x.Type), variableValue(x), cell(x.Description)}
	})
	a.showQuestions(v)
	section(a, []string{"RESOURCE", ""}, v.Resources, func(r berth.TemplateResource) []string {
		keeps := ""
		if r.Persistent {
			keeps = "persistent"
		}
		return []string{cell(r.Address), keeps}
	})
	if v.Error != "" {
		a.say("")
		a.say("%s", clean(v.Error))
	}
}

// variableValue is what is known of a variable's value: what a push gave is
// shown to nobody.
func variableValue(v berth.Variable) string {
	switch {
	case v.Required && v.Sensitive:
		return "given at push, sensitive"
	case v.Required:
		return "given at push"
	case v.Sensitive:
		return "sensitive"
	}
	return "default " + cell(v.Default)
}

// showNeeds shows what workspaces of a version need of others.
func (a *app) showNeeds(n api.VersionNeeds) {
	var tags []string
	for _, name := range slices.Sorted(maps.Keys(n.Tags)) {
		tags = append(tags, cell(name+"="+n.Tags[name]))
	}
	a.field("tags", strings.Join(tags, ", "))
	for _, s := range n.Secrets {
		a.field("secret", cell(s.Place()+sayIf(s.Optional, ", optional", "")+sayIf(s.Help != "", ": "+s.Help, "")))
	}
	if len(n.OutsideAgents) > 0 {
		a.field("by hand", "each owner starts the agent "+cell(strings.Join(n.OutsideAgents, ", "))+" on a computer of their own: berth external-agent")
	}
}

func (a *app) versionsDiff() *cobra.Command {
	var summary bool
	cmd := &cobra.Command{
		Use:   "diff NAME [FROM] VERSION",
		Short: "Show what a version changes",
		Long: `Show what a version changes against the one before it, or against another one: in
words what it asks, makes and needs, and the lines of its files for those who may
change the template. The version active is the active one.

The files are a patch: berth templates versions diff docker v1 v2 | git apply`,
		Example:           "  berth templates versions diff docker v3\n  berth templates versions diff docker active v4 --summary",
		Args:              args(2, 3),
		ValidArgsFunction: a.versionNames(2),
	}
	org := a.organizationFlag(cmd)
	cmd.Flags().BoolVar(&summary, "summary", false, "leave the lines of the files out")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		from, to := "", given[len(given)-1]
		if len(given) == 3 {
			from = given[1]
		}
		return a.withClient(func(c *client.Client) error {
			d, err := c.VersionDiff(cmd.Context(), *org, given[0], from, to)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(d)
			}
			a.showDiff(d, summary)
			return nil
		})
	}
	return cmd
}

// showDiff shows what is different: in words beside the result, so that the files
// are a patch; all of it in words where only a summary is wanted.
func (a *app) showDiff(d api.VersionDiff, summary bool) {
	words := a.tell
	if summary || d.FilesHidden {
		words = a.say
	}
	switch {
	case d.From == "":
		words("%s is the first version", d.To)
	case len(d.Changes)+len(d.Files) == 0 && !d.FilesHidden:
		a.say("%s and %s are the same", d.From, d.To)
	case len(d.Changes) == 0:
		words("from %s to %s: it asks, makes and needs the same", d.From, d.To)
	default:
		words("from %s to %s:", d.From, d.To)
	}
	a.changes(words, d.Changes)
	if d.FilesHidden {
		a.tell("The files are shown to those who may change the template.")
	}
	a.files(words, d.Files)
	for _, f := range d.Files {
		switch {
		case summary:
		case a.outTTY:
			fmt.Fprint(a.out, clean(f.Diff))
		default: // a patch is only one as it is
			fmt.Fprint(a.out, f.Diff)
		}
	}
}

// changes says what is different between two versions.
func (a *app) changes(say func(string, ...any), changes []berth.VersionChange) {
	for _, c := range changes {
		subject := strings.TrimSpace(c.Kind + " " + cell(c.Name))
		if c.Change == berth.Changed {
			subject += ":"
		}
		say("  %s %s", subject, cell(c.Says))
	}
}

// after is text with something before it; nothing of nothing.
func after(before, text string) string {
	if text == "" {
		return ""
	}
	return before + cell(text)
}
