package harness

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Cluster is a Kubernetes cluster for tests, with an image that its pods have.
type Cluster struct {
	Config    string // path of a configuration that every user of this machine may read
	Image     string
	Host      string // this machine's address on the pods' network
	Namespace string
	// StorageClass is that of Volumes; empty: the cluster makes them.
	StorageClass string

	t testing.TB
}

var loaded struct {
	once sync.Once
	err  string
}

// Kubernetes is the cluster that `make test-kubernetes` brings up or is given,
// and a fresh namespace in it. Without one the test is skipped, aloud.
func Kubernetes(t testing.TB) *Cluster {
	t.Helper()
	config := os.Getenv("BERTH_TEST_KUBECONFIG")
	if config == "" {
		t.Skip("SKIPPED: there is no Kubernetes cluster for tests; see `make test-kubernetes`")
	}
	Need(t, "kubectl", "busybox")
	if m, _ := filepath.Glob(filepath.Join(Plugins(), "registry.terraform.io/hashicorp/kubernetes/*/*/terraform-provider-kubernetes*")); len(m) == 0 {
		t.Skip("SKIPPED: the kubernetes plugin is not built; run `make tools`")
	}
	c := &Cluster{t: t, Image: os.Getenv("BERTH_TEST_KUBERNETES_IMAGE"), Host: os.Getenv("BERTH_TEST_KUBERNETES_HOST")}
	c.copyConfig(config)
	if c.Image == "" {
		c.Image = "docker.io/library/berth-test-busybox:1"
		loaded.once.Do(func() { loaded.err = loadImage(c.Image, Dir(t)) })
		if loaded.err != "" {
			t.Fatal(loaded.err)
		}
	}
	c.Namespace = "berth-" + strings.ToLower(filepath.Base(Dir(t)))
	c.Kubectl("create", "namespace", c.Namespace)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("in the cluster:\n%s", c.try("get", "pods,pvc,statefulsets,events", "-n", c.Namespace, "-o", "wide"))
		}
		c.try("delete", "namespace", c.Namespace, "--wait=false")
	})
	if c.Host == "" {
		c.Host = c.gateway()
	}
	return c
}

// copyConfig puts the configuration where builds may read it, which run as
// another user than the test.
func (c *Cluster) copyConfig(from string) {
	c.t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		c.t.Fatal(err)
	}
	c.Config = filepath.Join(Dir(c.t), "kubeconfig")
	if err := os.WriteFile(c.Config, text, 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// Kubectl runs kubectl against the cluster and gives what it prints.
func (c *Cluster) Kubectl(args ...string) string {
	c.t.Helper()
	return c.apply(nil, args...)
}

func (c *Cluster) apply(stdin []byte, args ...string) string {
	c.t.Helper()
	cmd := exec.Command("kubectl", append([]string{"--kubeconfig", c.Config}, args...)...)
	var errs bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &errs
	out, err := cmd.Output()
	if err != nil {
		c.t.Fatalf("kubectl %s: %v\n%s%s", strings.Join(args, " "), err, out, errs.String())
	}
	return strings.TrimSpace(string(out))
}

// try is Kubectl for clearing up: what it says is all that comes of a failure.
func (c *Cluster) try(args ...string) string {
	out, _ := exec.Command("kubectl", append([]string{"--kubeconfig", c.Config}, args...)...).CombinedOutput()
	return string(out)
}

// Account makes an account that has the rights of these rules, and no others, in
// the namespace. It gives its configuration.
func (c *Cluster) Account(rules string) (config string) {
	c.t.Helper()
	c.apply([]byte("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: builds\n  namespace: "+c.Namespace+"\n"+rules), "apply", "-f", "-")
	c.Kubectl("create", "serviceaccount", "builds", "-n", c.Namespace)
	c.Kubectl("create", "rolebinding", "builds", "-n", c.Namespace, "--role=builds", "--serviceaccount="+c.Namespace+":builds")
	account := &Cluster{t: c.t}
	account.copyConfig(c.Config)
	account.Kubectl("config", "set-credentials", "builds", "--token="+c.Kubectl("create", "token", "builds", "-n", c.Namespace))
	account.Kubectl("config", "set-context", "--current", "--user=builds")
	return account.Config
}

// gateway is where the route of a pod leads: this machine, where it is the
// cluster's only node. Its address is there once the first pod is.
func (c *Cluster) gateway() string {
	c.t.Helper()
	c.apply(fmt.Appendf(nil, `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "route", "namespace": %q}, "spec": {
		"restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
		"containers": [{"name": "route", "image": %q, "imagePullPolicy": "Never", "command": ["/bin/sh", "-c", "ip route; sleep 3600"]}]}}`, c.Namespace, c.Image),
		"apply", "-f", "-")
	c.Kubectl("wait", "--for=condition=Ready", "--timeout=90s", "-n", c.Namespace, "pod/route")
	_, after, _ := strings.Cut(c.Kubectl("logs", "-n", c.Namespace, "route"), "default via ")
	if words := strings.Fields(after); len(words) > 0 {
		return words[0]
	}
	c.t.Fatal("the pods of the cluster have no route to this machine; say in BERTH_TEST_KUBERNETES_HOST how they reach it")
	return ""
}

// Volumes makes some volumes on this machine's disk, unless the cluster makes
// its own. They are of a class of this test's, so that no other test's claim
// takes one and loses it when this test ends.
func (c *Cluster) Volumes(n int) {
	c.t.Helper()
	if c.Kubectl("get", "storageclass", "-o", "name") != "" {
		return
	}
	c.StorageClass = c.Namespace
	for i := range n {
		dir, name := filepath.Join(Dir(c.t), "volume"), fmt.Sprintf("%s-%d", c.Namespace, i)
		if err := os.Mkdir(dir, 0o777); err != nil {
			c.t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o777); err != nil { // a volume of this kind keeps the rights of its directory
			c.t.Fatal(err)
		}
		c.apply(fmt.Appendf(nil, `{"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": %q}, "spec": {
			"capacity": {"storage": "500Gi"}, "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Retain",
			"storageClassName": %q, "hostPath": {"path": %q, "type": "Directory"}}}`, name, c.Namespace, dir), "apply", "-f", "-")
		c.t.Cleanup(func() { c.try("delete", "persistentvolume", name, "--wait=false") })
	}
}

// loadImage has the program that brought the cluster up load an image.
func loadImage(name, dir string) string {
	program := os.Getenv("KUBERNETES_CLUSTER")
	if program == "" {
		return "say in BERTH_TEST_KUBERNETES_IMAGE which image the cluster's pods have"
	}
	tree, err := imageTree(nil)
	if err != nil {
		return err.Error()
	}
	archive := filepath.Join(dir, "image.tar")
	if err := writeImage(archive, name, tree); err != nil {
		return err.Error()
	}
	if out, err := exec.Command(program, "load", os.Getenv("KUBERNETES_CLUSTER_NAME"), archive).CombinedOutput(); err != nil {
		return fmt.Sprintf("loading the image: %v\n%s", err, out)
	}
	return ""
}

// writeImage writes an image of one layer as `docker save` does.
func writeImage(path, name string, layer []byte) error {
	sum := sha256.Sum256(layer)
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Env": []string{"PATH=/bin"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(sum[:])}},
	})
	if err != nil {
		return err
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, file := range []struct {
		name string
		data []byte
	}{{"config.json", config}, {"layer.tar", layer}, {"manifest.json", manifest}} {
		if err := w.WriteHeader(&tar.Header{Name: file.name, Mode: 0o644, Size: int64(len(file.data)), Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		if _, err := w.Write(file.data); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
