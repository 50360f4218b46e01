package plugin

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/coder/terraform-provider-coder/v2/provider"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	serve "github.com/hashicorp/terraform-plugin-sdk/v2/plugin"
)

// Main serves the plugin that the program's name asks for until Terraform ends
// it, or is the warden of plugins that stay, and returns the exit code.
func Main(args []string) int {
	name := ""
	if len(args) > 0 {
		name = filepath.Base(args[0])
	}
	for _, s := range served {
		if strings.HasPrefix(name, "terraform-provider-"+s.name) {
			serve.Serve(&serve.ServeOpts{ProviderAddr: s.address, ProviderFunc: s.provider})
			return 0
		}
	}
	if len(args) > 1 && args[1] == WardenCommand {
		return wardenMain(args[2:], os.Stdin)
	}
	fmt.Fprintf(os.Stderr, "%s holds the Terraform plugins coder and berth. Terraform starts it under the name terraform-provider-coder or terraform-provider-berth; it does nothing when started as %q.\n", "berth-plugin", name)
	return 2
}

// pluginBinary is one of the plugins in this binary.
type pluginBinary struct {
	name      string // terraform-provider-NAME
	namespace string
	version   string
	address   string
	provider  func() *schema.Provider
	inner     bool // the process of a journal may serve it: it only computes
}

var served = []pluginBinary{
	// The version is that of the module; a test holds the two together.
	{"coder", "coder", "2.19.0", "registry.terraform.io/coder/coder", func() *schema.Provider { return withSecrets(keepTokens(provider.New())) }, true},
	{"berth", "berthdev", "1.0.0", "registry.terraform.io/berthdev/berth", newBerth, false},
}
