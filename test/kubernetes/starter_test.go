// Package kubernetes drives the kubernetes starter on a real cluster, which
// `make test-kubernetes` brings up or is given.
package kubernetes

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth/test/harness"
)

var starter = filepath.Join(harness.Root(), "templates", "kubernetes")

// variables answer the starter's for a cluster.
func variables(c *harness.Cluster, config string) (list []string) {
	for name, value := range map[string]string{"kubeconfig": config, "namespace": c.Namespace, "image": c.Image, "pull_policy": "Never", "storage_class": c.StorageClass} {
		list = append(list, "--variable", name+"="+value)
	}
	return list
}

// names lists the objects of a kind that carry the workspace's id.
func names(c *harness.Cluster, kind, workspace string) string {
	return c.Kubectl("get", kind, "-n", c.Namespace, "-l", "berth.dev/workspace-id="+workspace, "-o", "jsonpath={.items[*].metadata.uid}")
}

// The starter as a person uses it: the pod goes, the home stays, until delete.
func TestStarter(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform", "ssh")
	c := harness.Kubernetes(t)
	c.Volumes(1)
	s := harness.Start(t, harness.Options{Host: "0.0.0.0", Access: c.Host, Args: []string{"--plugin-mirror", harness.Plugins()}})
	s.Berth(append([]string{"templates", "push", "kubernetes", "-d", starter}, variables(c, c.Config)...)...)
	s.Berth("create", "web", "-t", "kubernetes", "-y")
	var w struct{ ID string }
	s.JSON(&w, "show", "web")
	ssh := s.OpenSSH()
	if got := ssh.Run("web.berth", "pwd; id -u; echo $HOME $CODER_WORKSPACE_NAME; echo kept > note; echo lost > /tmp/note"); got != "/home/berth\n1000\n/home/berth web\n" {
		t.Errorf("inside there is %q", got)
	}
	metadata(t, s)
	ssh.Run("web.berth", "mkdir -p www && echo a page of mine > www/index.html && httpd -p 8000 -h www")
	app(t, s, "web", "Port 8000")

	home := names(c, "pvc", w.ID)
	s.Berth("stop", "web", "-y")
	harness.Eventually(t, time.Minute, func() string { return names(c, "statefulsets,pods", w.ID) })
	s.Berth("start", "web")
	if got := ssh.Run("web.berth", "cat note; ls /tmp/note 2>/dev/null; true"); got != "kept\n" {
		t.Errorf("after stop and start: %q", got)
	}

	// Another name changes nothing of the pod; other answers do.
	pod := names(c, "pods", w.ID)
	s.Berth("rename", "web", "site")
	s.Berth("start", "site", "--parameter", "cpu=2")
	if now := names(c, "pods", w.ID); now != pod || pod == "" {
		t.Errorf("the pod was %s, and after a rename is %s", pod, now)
	}
	if got := ssh.Run("site.berth", "cat note"); got != "kept\n" {
		t.Errorf("after rename: %q", got)
	}
	s.Berth("restart", "site", "-y", "--parameter", "memory=1")
	if got := ssh.Run("site.berth", "cat note; echo $CODER_WORKSPACE_NAME"); got != "kept\nsite\n" {
		t.Errorf("after restart: %q", got)
	}
	if got := c.Kubectl("get", "pods", "-n", c.Namespace, "-l", "berth.dev/workspace-id="+w.ID, "-o", "jsonpath={.items[*].spec.containers[*].resources.limits.memory}"); got != "1Gi" {
		t.Errorf("with 1 GB of memory, the pod's limit is %q", got)
	}

	// A pod that dies comes back by itself, and its agent with it.
	pod = names(c, "pods", w.ID)
	c.Kubectl("delete", "pod", "-n", c.Namespace, "-l", "berth.dev/workspace-id="+w.ID, "--grace-period=1")
	harness.Eventually(t, 2*time.Minute, func() string {
		if now := names(c, "pods", w.ID); now == "" || strings.Contains(now, pod) {
			return "the pod is " + now
		}
		out, errs, code := s.Try("ssh", "site", "--", "cat", "note")
		if code != 0 || out != "kept\n" {
			return out + errs
		}
		return ""
	})

	update(t, s, c)
	if got := ssh.Run("site.berth", "cat note"); got != "kept\n" {
		t.Errorf("after update: %q", got)
	}
	app(t, s, "site", "My site")
	if now := names(c, "pvc", w.ID); now != home {
		t.Errorf("the home was %s and is %s", home, now)
	}

	s.Berth("delete", "site", "-y")
	if left := names(c, "statefulsets,pvc", w.ID); left != "" {
		t.Errorf("after delete there is %s", left)
	}
}

// metadata sees that each of the starter's items has a value.
func metadata(t *testing.T, s *harness.Server) {
	t.Helper()
	harness.Eventually(t, 30*time.Second, func() string {
		var items []struct{ Key, Value, Error string }
		s.JSON(&items, "metadata", "web")
		keys := []string{}
		for _, i := range items {
			if i.Value == "" || i.Error != "" {
				return fmt.Sprintf("%+v", i)
			}
			keys = append(keys, i.Key)
		}
		if !slices.Equal(keys, []string{"cpu", "memory", "home"}) {
			return fmt.Sprint(keys)
		}
		return ""
	})
	if out := s.Berth("show", "web"); !strings.Contains(out, "2 processors, 4 GB") || !strings.Contains(out, "10 GB") {
		t.Errorf("what the template says of its resources is not shown:\n%s", out)
	}
}

// app opens the starter's page.
func app(t *testing.T, s *harness.Server, workspace, title string) {
	t.Helper()
	var apps []struct{ Slug, Name, URL string }
	s.JSON(&apps, "apps", workspace)
	if len(apps) != 1 || apps[0].Name != title {
		t.Fatalf("the apps are %+v", apps)
	}
	if got, err := s.OpenApp(apps[0].URL); title == "Port 8000" && (err != nil || got != "a page of mine\n") {
		t.Errorf("the app at %s: %q, %v", apps[0].URL, got, err)
	}
}

// update brings the workspace to a version that calls its page otherwise.
func update(t *testing.T, s *harness.Server, c *harness.Cluster) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(starter, "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), `"Port 8000"`, `"My site"`, 1)
	s.Template("kubernetes", map[string]string{"main.tf": changed}, append(variables(c, c.Config), "-y")...)
	s.Berth("update", "site", "-y")
}

// The life that `berth templates test` gives a workspace, from the directory of
// the template alone, and with the rights alone that its README names.
func TestTemplatesTest(t *testing.T) {
	t.Parallel()
	harness.Need(t, "terraform")
	c := harness.Kubernetes(t)
	c.Volumes(1)
	text, err := os.ReadFile(filepath.Join(starter, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "```yaml\n")
	rules, _, _ := strings.Cut(after, "```")
	s := harness.Start(t, harness.Options{NoSignIn: true}) // for its command line
	out, errs, code := s.Try(append([]string{"templates", "test", starter, "--json", "--listen", c.Host + ":0",
		"--plugin-mirror", harness.Plugins(), "--parameter", "cpu=1"}, variables(c, c.Account(rules))...)...)
	var life struct {
		OK       bool
		Kept     []string
		Findings []any
	}
	if err := json.Unmarshal([]byte(out), &life); err != nil || code != 0 || !life.OK || len(life.Findings) > 0 ||
		!slices.Equal(life.Kept, []string{"kubernetes_persistent_volume_claim_v1.home"}) {
		t.Errorf("exit %d, %v\n%s%s", code, err, out, errs)
	}
	if left := c.Kubectl("get", "statefulsets,pvc", "-n", c.Namespace, "-o", "name"); left != "" {
		t.Errorf("it left %s", left)
	}
}
