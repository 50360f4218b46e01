// Command berth-plugin is what Terraform starts: the plugins coder/coder and
// berthdev/berth.
package main

import (
	"os"

	"github.com/berthdev/berth/internal/plugin"
)

func main() { os.Exit(plugin.Main(os.Args)) }
