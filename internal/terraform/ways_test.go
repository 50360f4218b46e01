package terraform

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
)

var (
	anyID    = regexp.MustCompile(anID)
	anyToken = regexp.MustCompile(`[A-Za-z0-9_-]{43,}`) // of an agent, made from its id
	// Terraform notes for some values how they were planned; that is not compared.
	noted = []string{"private", "dependencies"}
)

// TestEveryWayComesToTheSame lets each template of the corpus live: in two steps,
// in one run behind the journal, and with plugins that serve all runs of a build.
func TestEveryWayComesToTheSame(t *testing.T) {
	t.Parallel()
	names, err := os.ReadDir(filepath.Join("..", "..", "test", "templates"))
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"CODER_AGENT_URL": "https://berth.example:8443", "CODER_WORKSPACE_BUILD_ID": "b", "CODER_WORKSPACE_TEMPLATE_ID": "t",
		"CODER_WORKSPACE_TEMPLATE_NAME": "t", "CODER_WORKSPACE_TEMPLATE_VERSION": "t",
		"CODER_SECRET_ENV_REGISTRY_TOKEN": "reg", "CODER_SECRET_FILE_7e2f2e6c6963656e7365": "lic",
	}
	for _, n := range names {
		t.Run(n.Name(), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			i := s.must(corpus(t, n.Name()))
			life := func(change func(Options) Options) (states []any) {
				var state []byte
				for _, step := range []berth.Transition{berth.Start, berth.Start, berth.Stop, berth.Delete} {
					o := s.options(i, step, state)
					maps.Copy(o.Env, env)
					rec := &recorder{t: t}
					r, err := Run(t.Context(), change(o), rec, allow(nil))
					if err != nil {
						t.Fatalf("%s: %v\n%s", step, err, rec.text())
					}
					if r.State != nil {
						state = r.State
					}
					states = append(states, lasting(t, state))
				}
				return states
			}
			slow := life(func(o Options) Options { return o })
			for name, got := range map[string][]any{
				"one run": life(func(o Options) Options { return fast(t, o) }),
				"kept":    life(func(o Options) Options { o.Kept = true; return o }),
			} {
				if diff := cmp.Diff(slow, got); diff != "" {
					t.Errorf("in two steps (-) and %s (+):\n%s", name, diff)
				}
			}
		})
	}
}

// lasting is what of a state is the same in every life.
func lasting(t testing.TB, state []byte) any {
	t.Helper()
	var all struct {
		Outputs   any   `json:"outputs"`
		Resources []any `json:"resources"`
	}
	text := anyID.ReplaceAllString(string(state), "ID")
	text = anyToken.ReplaceAllString(text, "TOKEN")
	text = strings.NewReplacer("registry.opentofu.org", "registry.terraform.io").Replace(text)
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	for _, r := range all.Resources {
		instances, _ := r.(map[string]any)["instances"].([]any)
		for _, i := range instances {
			object := i.(map[string]any)
			for _, name := range noted {
				delete(object, name)
			}
			paths, _ := object["sensitive_attributes"].([]any) // in any order
			slices.SortFunc(paths, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
	}
	return all
}
