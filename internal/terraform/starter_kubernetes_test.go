package terraform

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/berthdev/berth"
)

// TestStarterKubernetesPlans: without a cluster nothing can be made, but the real
// plugin plans, also for another name and owner.
func TestStarterKubernetesPlans(t *testing.T) {
	t.Parallel()
	mirror, err := filepath.Abs(filepath.Join("..", "..", ".tools", "mirror"))
	if err != nil {
		t.Fatal(err)
	}
	if found, _ := filepath.Glob(filepath.Join(mirror, "registry.terraform.io/hashicorp/kubernetes/*/*/*")); len(found) == 0 {
		t.Skip("SKIPPED: the kubernetes plugin is not built; run `make tools`")
	}
	s := newSite(t)
	s.installer.Mirror += string(os.PathListSeparator) + mirror
	files := starter(t, "kubernetes")
	c, err := s.importOf(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]bool{}
	for _, r := range c.Resources {
		kept[r.Address] = r.Persistent
	}
	if !kept["kubernetes_persistent_volume_claim_v1.home"] || kept["kubernetes_stateful_set_v1.workspace"] || len(c.Presets) != 2 || len(c.Parameters) != 3 || len(c.Findings) != 0 {
		t.Errorf("%+v", c)
	}

	// The plugin is asked, and says so, when the home is called like its owner.
	files["main.tf"] += `
data "coder_workspace_owner" "me" {}
resource "kubernetes_persistent_volume_claim_v1" "cache" {
  wait_until_bound = false
  metadata {
    name        = "cache-${data.coder_workspace_owner.me.name}"
    namespace   = var.namespace
    annotations = { owner = data.coder_workspace_owner.me.name }
  }
  spec {
    access_modes = ["ReadWriteOnce"]
    resources {
      requests = { storage = "1Gi" }
    }
  }
}
`
	c, err = s.importOf(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	named := slices.DeleteFunc(slices.Clone(c.Findings), func(f berth.Finding) bool { return f.Code != "persistent-identity" })
	if len(named) != 1 || named[0].Address != "kubernetes_persistent_volume_claim_v1.cache" || len(c.Findings) != 1 {
		t.Errorf("%+v", c.Findings)
	}
}
