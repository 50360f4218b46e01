// Command berth-plugin is what Terraform starts: the plugins coder/coder and
// berthdev/berth. As `berth-plugin journal` it is the process of a build's
// journal, which wants to be small.
package main

import (
	"os"

	"github.com/berthdev/berth/internal/journal"
	"github.com/berthdev/berth/internal/plugin"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "journal" {
		os.Exit(journal.Main(os.Stdin, os.Stdout, plugin.Inner))
	}
	os.Exit(plugin.Main(os.Args))
}
