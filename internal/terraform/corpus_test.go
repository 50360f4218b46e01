package terraform

import (
	"encoding/json"
	"io/fs"
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

// corpus reads a template of test/templates.
func corpus(t testing.TB, name string) map[string]string {
	t.Helper()
	return templateFiles(t, filepath.Join("..", "..", "test", "templates", name))
}

func TestEveryTemplateOfTheCorpusIsImported(t *testing.T) {
	t.Parallel()
	names, err := os.ReadDir(filepath.Join("..", "..", "test", "templates"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		t.Run(n.Name(), func(t *testing.T) {
			t.Parallel()
			c, err := newSite(t).importOf(corpus(t, n.Name()), nil)
			if err != nil {
				t.Fatal(err)
			}
			c.Findings = nil // internal/lint has its own templates
			text, err := json.MarshalIndent(c, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, n.Name()+".contents.json", strings.ReplaceAll(string(text)+"\n", c.Terraform, "X.Y.Z"))
		})
	}
}

// golden compares with a file of testdata; UPDATE_GOLDEN=1 writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, "registry.opentofu.org", "registry.terraform.io")
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (UPDATE_GOLDEN=1 writes it):\n%s", path, diff)
	}
}

const anID = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`

// TestTemplatesSeeTheirInputs starts templates that write down what they see.
func TestTemplatesSeeTheirInputs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env  map[string]string
		want map[string]string // patterns
	}{
		"values": {
			env: map[string]string{
				parameterVariable("flavor"): "vanilla", "CODER_AGENT_URL": "https://berth.example:8443", "CODER_WORKSPACE_TEMPLATE_ID": "tid",
				"CODER_WORKSPACE_TEMPLATE_NAME": "ice", "CODER_WORKSPACE_TEMPLATE_VERSION": "v7", "CODER_WORKSPACE_BUILD_ID": "b",
			},
			want: map[string]string{
				"provisioner.arch": "amd64|arm64", "provisioner.os": "linux|darwin", "provisioner.id": ".+",
				"workspace.access_port": "8443", "workspace.access_url": "https://berth.example:8443", "workspace.id": anID, "workspace.name": "hello",
				"workspace.start_count": "1", "workspace.prebuild_count": "0", "workspace.is_prebuild": "false", "workspace.is_claim": "false",
				"workspace.template_id": "tid", "workspace.template_name": "ice", "workspace.template_version": "v7", "workspace.transition": "start",
				"parameter.name": "flavor", "parameter.description": "What it tastes like.", "parameter.icon": "/icon/ice.svg",
				"parameter.value": "vanilla", "parameter.optional": "false",
				"preset.name": "Lemon", "preset.default": "true", "preset.flavor": "lemon", "preset.instances": "1", "preset.ttl": "7200",
				"preset.zone": "America/New_York", "preset.cron": `\* 9-17 \* \* 1-5`, "preset.scheduled": "2",
			},
		},
		"owner": {
			env: map[string]string{
				"CODER_WORKSPACE_OWNER": "ana", "CODER_WORKSPACE_OWNER_ID": "oid", "CODER_WORKSPACE_OWNER_NAME": "Ana", "CODER_WORKSPACE_OWNER_EMAIL": "ana@example.com",
				"CODER_WORKSPACE_OWNER_GROUPS": `["Everyone"]`, "CODER_WORKSPACE_OWNER_LOGIN_TYPE": "oidc",
				"CODER_WORKSPACE_OWNER_RBAC_ROLES":     `[{"name":"member","org_id":""},{"name":"organization-member","org_id":"o"}]`,
				"CODER_WORKSPACE_OWNER_SSH_PUBLIC_KEY": "ssh-ed25519 AAAA", "CODER_WORKSPACE_OWNER_SSH_PRIVATE_KEY": "PRIVATE",
				"CODER_WORKSPACE_OWNER_SESSION_TOKEN": "session", "CODER_WORKSPACE_OWNER_OIDC_ACCESS_TOKEN": "access",
			},
			want: map[string]string{
				"owner.id": "oid", "owner.name": "ana", "owner.full_name": "Ana", "owner.email": "ana@example.com", "owner.groups": `\["Everyone"\]`,
				"owner.login_type": "oidc", "owner.rbac_roles": `\[\{"name":"member","org_id":""\},\{"name":"organization-member","org_id":"o"\}\]`,
				"owner.ssh_public_key": "ssh-ed25519 AAAA", "owner.ssh_private_key": "PRIVATE", "owner.session_token": "session", "owner.oidc_access_token": "access",
			},
		},
		"task": {want: map[string]string{
			"app.id": anID, "ai_task.app_id": anID, "ai_task.id": anID, "ai_task.prompt": "", "ai_task.enabled": "false",
			"task.id": anID, "task.prompt": "", "task.enabled": "false", "agent.token": ".+",
		}},
		"secrets": {
			env: map[string]string{
				"CODER_WORKSPACE_BUILD_ID": "b", "CODER_WORKSPACE_TEMPLATE_ID": "t", "CODER_WORKSPACE_TEMPLATE_NAME": "t", "CODER_WORKSPACE_TEMPLATE_VERSION": "t",
				"CODER_SECRET_ENV_REGISTRY_TOKEN": "reg", "CODER_SECRET_FILE_7e2f2e6c6963656e7365": "lic",
			},
			want: map[string]string{"secret.registry": "reg", "secret.license": "lic"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			o := s.options(s.must(corpus(t, name)), berth.Start, nil)
			maps.Copy(o.Env, test.env)
			got, err := Run(t.Context(), o, &recorder{t: t}, allow(nil))
			if err != nil {
				t.Fatal(err)
			}
			seen := seenIn(t, got.State)
			if want, have := slices.Sorted(maps.Keys(test.want)), slices.Sorted(maps.Keys(seen)); !slices.Equal(want, have) {
				t.Errorf("it sees %v, not %v", have, want)
			}
			for key, pattern := range test.want {
				if !regexp.MustCompile("^(?:" + pattern + ")$").MatchString(seen[key]) {
					t.Errorf("%s is %q, not %s", key, seen[key], pattern)
				}
			}
		})
	}
}

// seenIn is the output of terraform_data.seen in a state.
func seenIn(t testing.TB, state []byte) map[string]string {
	t.Helper()
	f, err := parseState(state)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range f.objects() {
		if o.address == "terraform_data.seen" {
			output, _ := o.fields["output"].(map[string]any)
			value, _ := output["value"].(map[string]any)
			return fields{"v": value}.texts("v")
		}
	}
	t.Fatal("there is no terraform_data.seen")
	return nil
}

func TestMissingSecretIsSaid(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	i := s.must(corpus(t, "secrets"))
	run := func(transition berth.Transition) error {
		o := s.options(i, transition, nil)
		maps.Copy(o.Env, map[string]string{"CODER_WORKSPACE_BUILD_ID": "b", "CODER_WORKSPACE_TEMPLATE_ID": "t", "CODER_WORKSPACE_TEMPLATE_NAME": "t",
			"CODER_WORKSPACE_TEMPLATE_VERSION": "t", "CODER_SECRET_ENV_REGISTRY_TOKEN": "reg"})
		_, err := Run(t.Context(), o, &recorder{t: t}, allow(nil))
		return err
	}
	if err := run(berth.Start); err == nil || !strings.Contains(err.Error(), "~/.license") || !strings.Contains(err.Error(), "Ask the platform team") {
		t.Errorf("a start says %v", err)
	}
	if err := run(berth.Stop); err != nil {
		t.Errorf("a stop says %v", err)
	}
}

// TestEverythingIsRead starts the template that has every attribute, and reads
// all of it from the state.
func TestEverythingIsRead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	i := s.must(corpus(t, "everything"))
	started, err := Run(t.Context(), s.options(i, berth.Start, nil), &recorder{t: t}, allow(nil))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(struct {
		Resources []berth.Resource
		Agents    []FoundAgent
	}{started.Resources, started.Agents}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	named := regexp.MustCompile(anID).ReplaceAllStringFunc(string(text), func(id string) string {
		if ids[id] == "" {
			ids[id] = "id-" + string(rune('a'+len(ids)))
		}
		return ids[id]
	})
	named = regexp.MustCompile(`"Token": ".*"`).ReplaceAllString(named, `"Token": "…"`)
	golden(t, "everything.found.json", named+"\n")

	var plan berth.Plan
	stopped, err := Run(t.Context(), s.options(i, berth.Stop, started.State), &recorder{t: t}, allow(&plan))
	if err != nil {
		t.Fatal(err)
	}
	if plan.DailyCost != 5 || slices.Contains(stopped.Addresses, "terraform_data.computer[0]") || !slices.Contains(stopped.Addresses, "terraform_data.disk") {
		t.Errorf("the stop keeps %v for %d", stopped.Addresses, plan.DailyCost)
	}
}

func TestMergeStrategyError(t *testing.T) {
	t.Parallel()
	main := coderOnly + `
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
resource "coder_env" "first" {
  agent_id       = coder_agent.main.id
  name           = "X"
  merge_strategy = "error"
}
resource "coder_env" "second" {
  agent_id = coder_agent.main.id
  name     = "X"
}`
	_, err := newSite(t).importOf(map[string]string{"main.tf": main}, nil)
	if err == nil || !strings.Contains(err.Error(), "coder_env.first and coder_env.second both set X") {
		t.Error(err)
	}
}

func TestBadTags(t *testing.T) {
	t.Parallel()
	for name, tags := range map[string]string{
		"file":   `{ a = file("main.tf") }`,
		"object": `{ a = terraform_data.x.id }`,
		"time":   `{ a = timestamp() }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newSite(t).importOf(map[string]string{"main.tf": coderOnly + `
resource "terraform_data" "x" {}
data "coder_workspace_tags" "x" {
  tags = ` + tags + `
}`}, nil)
			if err == nil || !strings.Contains(err.Error(), "main.tf:9: the tags have to be known before Terraform runs") {
				t.Error(err)
			}
		})
	}
}

func TestOverlappingSchedulesAreRefused(t *testing.T) {
	t.Parallel()
	_, err := newSite(t).importOf(map[string]string{"main.tf": coderOnly + `
data "coder_workspace_preset" "x" {
  name = "x"
  prebuilds {
    instances = 1
    scheduling {
      timezone = "UTC"
      schedule { 
        cron      = "* 8-18 * * 1-5"
        instances = 1
      }
      schedule {
        cron      = "* 18 * * 5"
        instances = 2
      }
    }
  }
}`}, nil)
	if err == nil || !strings.Contains(err.Error(), "overlap") {
		t.Error(err)
	}
}

// templateFiles reads a directory.
func templateFiles(t testing.TB, at string) map[string]string {
	t.Helper()
	files := map[string]string{}
	dir := os.DirFS(at)
	err := fs.WalkDir(dir, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(dir, path)
		files[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestMachinesAreFound(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	o := s.options(s.must(corpus(t, "machines")), berth.Start, nil)
	o.Env["CODER_AGENT_SCRIPT_linux_amd64"] = `CODER_AGENT_AUTH="${AUTH_TYPE}"`
	got, err := Run(t.Context(), o, &recorder{t: t}, allow(nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Agents) != 3 {
		t.Fatalf("%d agents", len(got.Agents))
	}
	for _, a := range got.Agents {
		if a.Auth != a.Name+"-instance-identity" || a.InstanceID != "i-"+a.Name {
			t.Errorf("%s proves itself as %s by %s", a.Name, a.Auth, a.InstanceID)
		}
		if !strings.Contains(string(got.State), `CODER_AGENT_AUTH=\"`+a.Auth+`\"`) {
			t.Errorf("the init script of %s does not say how it proves itself", a.Name)
		}
	}
}

func TestMachinesOfClouds(t *testing.T) {
	t.Parallel()
	for kind, attribute := range instanceIDs {
		agent := object{address: "coder_agent.main", config: "coder_agent.main", kind: "coder_agent", fields: fields{"id": "a", "auth": "x"}}
		vm := object{address: kind + ".vm[0]", config: kind + ".vm", kind: kind, needs: []string{"coder_agent.main"}, fields: fields{"id": "other", attribute: "i-1"}}
		if got := machine(agent, []object{agent, vm}); got != "i-1" {
			t.Errorf("%s: %q", kind, got)
		}
	}
}
