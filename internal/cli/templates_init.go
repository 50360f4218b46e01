package cli

import (
	"github.com/spf13/cobra"
)

func (a *app) templatesInit() *cobra.Command {
	return &cobra.Command{
		Use:   "init [STARTER] [DIR]",
		Short: "Write a template to start from",
		Args:  args(0, 2),
		RunE: func(*cobra.Command, []string) error {
			return usagef("this program was built without starter templates")
		},
	}
}
