package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) templatesPush() *cobra.Command {
	var dir string
	var vars variables
	in := api.PushVersion{}
	cmd := &cobra.Command{
		Use:   "push NAME -d DIR",
		Short: "Import a directory as a new version of a template",
		Long: `Pack a directory with Terraform files and import it as a new version of a
template, which becomes the active one when the import succeeds. A template that
is not there is made.

Left out are .git, .terraform and states (*.tfstate).

Values of the template's variables come from --variable, from the environment
(BERTH_VAR_name) and from --variables-file, the first of these first. They are
sealed, and shown to nobody.

In CI, push with --yes: where standard output is no terminal it is the id of the
version alone, or all of it with --json, and the exit code says whether it was
imported. A version that was pushed with --activate=false is made the active one
with berth templates versions activate.`,
		Example: `  berth templates push docker -d ./docker -m 'newer image' --variable image=debian:13
  berth templates push docker -d ./docker --if-changed -y -m "$(git log -1 --format=%s)"
  id=$(berth templates push docker -d ./docker --activate=false -y) && berth templates versions activate docker "$id" -y`,
		Args:              args(1, 1),
		ValidArgsFunction: a.templateNames,
	}
	org := a.organizationFlag(cmd)
	f := cmd.Flags()
	f.StringVarP(&dir, "directory", "d", ".", "`directory` of the template")
	f.StringVarP(&in.Message, "message", "m", "", "what this version changes")
	f.StringVar(&in.Name, "name", "", "`name` of the version (default made up)")
	vars.flags(cmd)
	f.BoolVar(&in.IfChanged, "if-changed", false, "push nothing that would only repeat the active version, or with --activate=false the newest one")
	f.BoolVar(&in.Activate, "activate", true, "make it the active version")
	f.StringVar(&in.Provider, "provider", "", "workspace `provider` that imports it (default the default one)")
	f.BoolVar(&in.Private, "private", false, "not for everybody in the organization: see berth templates access")
	f.BoolVarP(&in.Confirm, "yes", "y", false, "do not ask, also when it stops workspaces that run an older version")
	asJSON := jsonFlag(cmd)
	_ = cmd.MarkFlagDirname("directory")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		if err := berth.ValidateName("template", given[0]); err != nil {
			return err
		}
		var err error
		if in.Variables, err = vars.values(); err != nil {
			return err
		}
		archive, err := Pack(dir)
		if err != nil {
			return err
		}
		return a.withClient(func(c *client.Client) error {
			v, err := a.push(cmd.Context(), c, *org, given[0], archive, in)
			if err != nil {
				return err
			}
			switch {
			case *asJSON:
				return a.json(v)
			case in.Confirm && !a.outTTY:
				a.say("%s", v.ID)
				return nil
			case v.Unchanged:
				a.say("%s, version %s has the same files and variables: nothing was pushed", given[0], v.Name)
				return nil
			}
			active := "is active now"
			if !v.Active {
				active = "is imported, but not active: berth templates versions activate " + given[0] + " " + v.Name
			}
			a.say("%s, version %s %s", given[0], v.Name, active)
			return nil
		})
	}
	return cmd
}

// push uploads an archive, has it imported and gives the version.
func (a *app) push(ctx context.Context, c *client.Client, org, name string, archive []byte, in api.PushVersion) (api.TemplateVersion, error) {
	uploaded, err := c.UploadArchive(ctx, bytes.NewReader(archive))
	if err != nil {
		return api.TemplateVersion{}, err
	}
	in.Archive = uploaded.Hash
	v, err := c.PushVersion(ctx, org, name, in)
	var e *berth.Error
	if errors.As(err, &e) && e.Field == "confirm" && a.canAsk() {
		if err := a.confirm(ctx, false, "Push it all the same?", cell(e.Message)); err != nil {
			return v, err
		}
		in.Confirm = true
		v, err = c.PushVersion(ctx, org, name, in)
	}
	if err != nil || v.Unchanged {
		return v, err
	}
	if v.SameFiles != "" {
		a.tell("%s", a.look.caution(fmt.Sprintf("The files are those of version %s.", v.SameFiles)))
	}
	b, err := c.Build(ctx, v.BuildID)
	if err != nil {
		return v, err
	}
	if _, err := a.follow(ctx, c, b, name, "look for it: berth templates versions "+name, "what failed:  berth builds show "+b.ID); err != nil {
		var bad badBuild
		if errors.As(err, &bad) && strings.Contains(bad.Build.Error, "variable") && !strings.Contains(bad.Build.Error, "--variable") {
			bad.Build.Error += "\nGive values to the template's variables with --variable name=value."
			return v, bad
		}
		return v, err
	}
	v, err = c.TemplateVersion(ctx, org, name, v.Name)
	if err != nil {
		return v, err
	}
	for _, n := range v.Notes {
		a.tell("%s %s", a.look.caution("note:"), cell(n))
	}
	a.tellFindings(v.Findings)
	return v, nil
}
