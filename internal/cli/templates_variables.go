package cli

import (
	"maps"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// variables are the values that a push gives to a template's variables.
type variables struct {
	given []string
	file  string
}

// variablePrefix begins the names of environment variables that are values of a
// template's variables: a secret of a CI job needs to be on no command line.
const variablePrefix = "BERTH_VAR_"

func (v *variables) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&v.given, "variable", nil, "a Terraform variable, as `name=value`; may be repeated")
	cmd.Flags().StringVar(&v.file, "variables-file", "", "Terraform variables from a YAML or JSON `file`: a map, or a list of {name, value}")
}

// values joins file, environment and flags; flags win, then the environment.
func (v *variables) values() (map[string]string, error) {
	all, err := answersFile("--variables-file", v.file)
	if err != nil {
		return nil, err
	}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if name, ours := strings.CutPrefix(name, variablePrefix); ours && name != "" {
			all[name] = value
		}
	}
	flags, err := pairs("--variable", v.given)
	if err != nil {
		return nil, err
	}
	maps.Copy(all, flags)
	return all, nil
}
