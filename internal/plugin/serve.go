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
// it, and returns the exit code.
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
	fmt.Fprintf(os.Stderr, "%s holds the Terraform plugins coder and berth. Terraform starts it under the name terraform-provider-coder or terraform-provider-berth; it does nothing when started as %q.\n", "berth-plugin", name)
	return 2
}

// served lists the plugins in this binary.
var served = []struct {
	name      string // terraform-provider-NAME
	namespace string
	version   string
	address   string
	provider  func() *schema.Provider
}{
	// The version is that of the module; a test holds the two together.
	{"coder", "coder", "2.19.0", "registry.terraform.io/coder/coder", func() *schema.Provider { return withSecrets(keepTokens(provider.New())) }},
	{"berth", "berthdev", "1.0.0", "registry.terraform.io/berthdev/berth", newBerth},
}
