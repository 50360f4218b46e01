package server

import (
	"errors"
	"flag"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/berthdev/berth"
)

var update = flag.Bool("update", false, "rewrite docs/config.md")

const referenceFile = "../../docs/config.md"

func TestConfigDrift(t *testing.T) {
	t.Parallel()
	if *update {
		if err := os.WriteFile(referenceFile, []byte(Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	golden, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(golden), Reference()); diff != "" {
		t.Errorf("the settings changed (-checked in +now): run go test ./internal/server -run Drift -update\n%s", diff)
	}
}

func TestSettingsComeFromFlagVariableDefault(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"BERTH_LISTEN": "0.0.0.0:1", "BERTH_SLOTS": "3", "BERTH_PLUGIN_MIRROR": "/a:/b", "BERTH_ALLOW_HOST_PROCESSES": "true",
	}
	var o Options
	flags := pflag.NewFlagSet("server", pflag.ContinueOnError)
	if err := o.bind(flags, func(name string) string { return env[name] }); err != nil {
		t.Fatal(err)
	}
	if err := flags.Parse([]string{"--slots", "5", "--access-url", "https://berth.test/"}); err != nil {
		t.Fatal(err)
	}
	want := Options{
		Data: ".berth", Listen: "0.0.0.0:1", Slots: 5, AccessURL: "https://berth.test/",
		PluginMirror: []string{"/a", "/b"}, AllowHostProcesses: true, LogLevel: "info", LogFormat: "text",
	}
	if o.Data != want.Data || o.Listen != want.Listen || o.Slots != want.Slots || o.AccessURL != want.AccessURL ||
		!o.AllowHostProcesses || strings.Join(o.PluginMirror, " ") != "/a /b" || o.LogLevel != "info" || o.LogFormat != "text" {
		t.Errorf("got %+v, want %+v", o, want)
	}
}

func TestBadVariablesAreNamed(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"BERTH_SLOTS": "many", "BERTH_ALLOW_HOST_PROCESSES": "perhaps"} {
		var o Options
		err := o.bind(pflag.NewFlagSet("server", pflag.ContinueOnError), func(n string) string {
			return map[string]string{name: value}[n]
		})
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), value) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}

func TestCheckNamesTheCure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		o    Options
		says string
	}{
		{Options{}, "--data"},
		{Options{Data: "x", Slots: -1}, "--slots"},
		{Options{Data: "x", DatabaseURL: "mysql://root:hunter2@db/x"}, "postgres://"},
		{Options{Data: "x", AccessURL: "berth.test"}, "https://"},
		{Options{Data: "x", AccessURL: "https://berth.test/sub"}, "https://"},
		{Options{Data: "x", AccessURL: "https://me:hunter2@berth.test"}, ""},
	} {
		err := c.o.check()
		if !errors.Is(err, berth.Invalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
	if err := (Options{Data: "x", DatabaseURL: "mysql://root:hunter2@db/x"}).check(); strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error shows the password: %v", err)
	}
}

func TestAccessURL(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"127.0.0.1:7080": "http://127.0.0.1:7080",
		"[::1]:80":       "http://[::1]:80",
	} {
		a, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := accessURL(a); got != want {
			t.Errorf("%s: %s", addr, got)
		}
	}
	if got := accessURL(&net.TCPAddr{IP: net.IPv6unspecified, Port: 7080}); strings.Contains(got, "::") || !strings.HasSuffix(got, ":7080") {
		t.Errorf("listening on everything: %s", got)
	}
	for given, want := range map[string]string{"https://berth.test/": "https://berth.test", "http://x:1": "http://x:1"} {
		if got, err := cleanURL(given); err != nil || got != want {
			t.Errorf("%s: %s, %v", given, got, err)
		}
	}
}
