package cli

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/charmbracelet/huh"
	"github.com/spf13/cobra"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/templates"
)

func (a *app) templatesInit() *cobra.Command {
	var known []string
	list := ""
	for _, s := range templates.Starters() {
		known = append(known, s.Name+"\t"+s.Description)
		list += fmt.Sprintf("\n  %-10s %s", s.Name, s.Description)
	}
	return &cobra.Command{
		Use:     "init STARTER [DIR]",
		Short:   "Write a template to start from",
		Long:    "Write a starter template into a directory, by default one of its name. There are:\n" + list,
		Example: "  berth templates init docker\n  berth templates push docker -d docker",
		Args:    args(0, 2),
		ValidArgsFunction: func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(given) == 0 {
				return known, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(cmd *cobra.Command, given []string) error {
			name, err := a.chooseStarter(cmd.Context(), given)
			if err != nil {
				return err
			}
			dir := name
			if len(given) > 1 {
				dir = given[1]
			}
			files, err := templates.Open(name)
			if err != nil {
				return berth.InvalidField("starter", "there is no starter %q; there are:%s", name, list)
			}
			if err := emptyDir(dir); err != nil {
				return err
			}
			if err := writeFiles(files, dir); err != nil {
				return fmt.Errorf("writing the template: %w", err)
			}
			a.say("The template is in %s. Import it with: berth templates push %s -d %s", dir, name, quoted(dir))
			return nil
		},
	}
}

func (a *app) chooseStarter(ctx context.Context, given []string) (string, error) {
	if len(given) > 0 {
		return given[0], nil
	}
	var all []huh.Option[string]
	var names []string
	for _, s := range templates.Starters() {
		all = append(all, huh.NewOption(s.Name+" – "+s.Description, s.Name))
		names = append(names, s.Name)
	}
	if !a.canAsk() {
		return "", usagef("say which starter: %s", strings.Join(names, " or "))
	}
	name := ""
	err := a.ask(ctx, huh.NewSelect[string]().Title("Starter").Options(all...).Value(&name))
	return name, err
}

// writeFiles copies files into an empty directory.
func writeFiles(files fs.FS, dir string) error {
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, content, 0o644)
	})
}
