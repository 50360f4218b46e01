package cli

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/client"
)

func (a *app) templatesVersions() *cobra.Command {
	var archived bool
	cmd := &cobra.Command{
		Use:               "versions NAME",
		Short:             "List the versions of a template, newest first, or do something with one",
		Example:           "  berth templates versions docker\n  berth templates versions docker --archived",
		Args:              args(1, 1),
		ValidArgsFunction: a.templateNames,
	}
	org := a.organizationFlag(cmd)
	cmd.Flags().BoolVar(&archived, "archived", false, "archived ones too")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			found, err := collect(client.List{}, func(l client.List) (api.Page[api.TemplateVersion], error) {
				return c.TemplateVersions(cmd.Context(), *org, given[0], archived, l)
			})
			if err != nil {
				return err
			}
			return versionListing.print(a, *asJSON, found)
		})
	}
	cmd.AddCommand(a.versionsShow(), a.versionsDiff(), a.versionsActivate(), a.versionsArchive(), a.versionsUnarchive())
	return cmd
}

var versionListing = listing[api.TemplateVersion]{
	none:   "No versions.",
	header: []string{"VERSION", "", "IMPORT", "BY", "CREATED", "MESSAGE"},
	row: func(v api.TemplateVersion, now time.Time) []string {
		state := ""
		switch {
		case v.Active:
			state = "active"
		case v.ArchivedAt != nil:
			state = "archived"
		}
		return []string{v.Name, state, v.Status, cell(v.CreatedBy), ago(v.CreatedAt, now), cell(v.Message)}
	},
}

func (a *app) versionsActivate() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "activate NAME VERSION",
		Short:             "Make a version the one that new workspaces get",
		Long:              "Make a version the one that new workspaces get. Where the template's rollout stops\nworkspaces that run an older one, they are shown first. To go back, make the\nversion before the active one.",
		Example:           "  berth templates versions activate docker calm-otter\n  berth templates versions activate docker calm-otter --dry-run",
		Args:              args(2, 2),
		ValidArgsFunction: a.versionNames(1),
	}
	org := a.organizationFlag(cmd)
	var care careful
	cmd.Flags().BoolVar(&care.dryRun, "dry-run", false, "change nothing; show what it would do to workspaces")
	cmd.Flags().BoolVarP(&care.yes, "yes", "y", false, "do not ask, also when workspaces are stopped")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return a.withClient(func(c *client.Client) error {
			v, err := carefully(cmd.Context(), a, care, fmt.Sprintf("Make %s the active version all the same?", given[1]), func(how api.PolicyEdit) (api.TemplateVersion, error) {
				return c.ActivateVersion(cmd.Context(), *org, given[0], given[1], how)
			}, func(v api.TemplateVersion) *berth.Effects { return v.Effects })
			if err != nil {
				return err
			}
			if *asJSON {
				return a.json(v)
			}
			if care.dryRun {
				a.tell("Nothing was changed.")
				return nil
			}
			a.say("%s, version %s is active now", given[0], v.Name)
			return nil
		})
	}
	return cmd
}

func (a *app) templatesPull() *cobra.Command {
	var version string
	var asTar bool
	cmd := &cobra.Command{
		Use:               "pull NAME [DIR]",
		Short:             "Download the files of a template",
		Long:              "Download the files of a template into a directory, by default one of its name that\nis not there yet or empty. --tar prints them as a tar instead.",
		Example:           "  berth templates pull docker ./docker\n  berth templates pull docker --tar | tar t",
		Args:              args(1, 2),
		ValidArgsFunction: a.templateNames,
	}
	org := a.organizationFlag(cmd)
	cmd.Flags().StringVar(&version, "template-version", "active", "`version` to download")
	cmd.Flags().BoolVar(&asTar, "tar", false, "print a tar")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		dir := filepath.Base(given[0])
		if len(given) > 1 {
			dir = given[1]
		}
		return a.withClient(func(c *client.Client) error {
			return a.pull(cmd.Context(), c, *org, given[0], version, dir, asTar)
		})
	}
	return cmd
}

func (a *app) pull(ctx context.Context, c *client.Client, org, name, version, dir string, asTar bool) error {
	archive, err := c.VersionArchive(ctx, org, name, version)
	if err != nil {
		return err
	}
	defer archive.Close()
	if asTar {
		_, err := io.Copy(a.out, archive)
		return err
	}
	if err := emptyDir(dir); err != nil {
		return err
	}
	n, err := unpack(archive, dir)
	if err != nil {
		return fmt.Errorf("unpacking the template: %w", err)
	}
	a.say("%d files are in %s", n, dir)
	return nil
}

// emptyDir makes a directory, or takes one that holds nothing.
func emptyDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return berth.InvalidField("directory", "%v", err)
	}
	held, err := os.ReadDir(dir)
	if err != nil {
		return berth.InvalidField("directory", "%v", err)
	}
	if len(held) > 0 {
		return berth.Errorf(berth.Conflict, "%s is not empty: name another directory", dir)
	}
	return nil
}

// unpack writes the files of a tar into dir and nowhere else, whatever the tar
// says: a server may be somebody else's.
func unpack(r io.Reader, dir string) (int, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	archive := tar.NewReader(io.LimitReader(r, 2*maxUnpacked))
	for n := 0; ; n++ {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		if h.Typeflag == tar.TypeDir {
			n--
			continue
		}
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) || n >= maxFiles {
			return n, fmt.Errorf("the archive holds what no template may: %q", cell(h.Name))
		}
		if err := root.MkdirAll(filepath.Dir(h.Name), 0o755); err != nil {
			return n, err
		}
		mode := os.FileMode(0o644)
		if h.Mode&0o100 != 0 {
			mode = 0o755
		}
		f, err := root.OpenFile(h.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
		if err != nil {
			return n, err
		}
		if _, err := io.Copy(f, archive); err != nil {
			f.Close()
			return n, err
		}
		if err := f.Close(); err != nil {
			return n, err
		}
	}
}
