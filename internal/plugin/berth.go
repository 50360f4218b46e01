package plugin

import (
	"os"
	"path/filepath"
	"regexp"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"

	"github.com/berthdev/berth"
)

// What the server tells the plugin about processes on its host.
const (
	allowVariable     = "BERTH_HOST_PROCESSES" // "allowed", or processes are refused
	rootVariable      = "BERTH_PROCESS_ROOT"   // directory that holds the homes
	workspaceVariable = "CODER_WORKSPACE_ID"
	buildVariable     = "CODER_WORKSPACE_BUILD_ID" // set in builds, not in imports
)

func newBerth() *schema.Provider {
	return &schema.Provider{
		ResourcesMap: map[string]*schema.Resource{
			"berth_directory": directoryResource(),
			"berth_process":   processResource(),
		},
	}
}

// host is where the resources of one workspace live on this machine.
type host struct {
	root      string
	workspace string
}

// allowedHost is the host of this build, or the reason why a build may make
// nothing on it.
func allowedHost() (host, error) {
	if os.Getenv(allowVariable) != "allowed" {
		return host{}, berth.Errorf(berth.Forbidden, "this workspace provider does not run processes on its host: "+
			"use a template that makes a container or a virtual machine, or have the administrator allow host processes for this person")
	}
	return anyHost()
}

// anyHost is the host of this build also where new processes are not allowed:
// what was made while they were must still be found and ended.
func anyHost() (host, error) {
	h := host{root: os.Getenv(rootVariable), workspace: os.Getenv(workspaceVariable)}
	switch {
	case !filepath.IsAbs(h.root):
		return host{}, berth.Errorf(berth.Unavailable, "this workspace provider has no directory for host processes (%s is not set), so it cannot run this template", rootVariable)
	case !pathElement.MatchString(h.workspace):
		return host{}, berth.Errorf(berth.Invalid, "the workspace's id %q cannot be the name of a directory", h.workspace)
	}
	return h, nil
}

// pathElement is what may be one element of a path below the root. It leaves
// out everything that has a meaning of its own there.
var pathElement = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// realBuild tells a build from the import of a template, whose plans say
// nothing about the host that its workspaces will run on.
func realBuild() bool { return os.Getenv(buildVariable) != "" }
