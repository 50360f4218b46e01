package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConfigSSHKeepsOptions(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	file := filepath.Join(t.TempDir(), "config")
	section := func(args ...string) string {
		t.Helper()
		if out, errs, code := f.run(t, append([]string{"config-ssh", "-y", "--ssh-config-file", file}, args...)...); code != 0 {
			t.Fatalf("%q: exit %d %s%s", args, code, out, errs)
		}
		b, _ := os.ReadFile(file)
		return string(b)
	}
	got := section("--wait", "yes", "--disable-autostart", "-o", "ForwardX11 yes", "--hostname-suffix", "dev", "--ssh-host-prefix", "berth.")
	for _, want := range []string{"\nHost *.dev berth.*\n", " ssh --stdio --hostname-suffix dev --ssh-host-prefix berth. --wait yes --disable-autostart -- '%h'\n", "\tForwardX11 yes\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if again := section("--use-previous-options"); again != got {
		t.Errorf("with the previous options:\n%s", again)
	}
	if changed := section("--use-previous-options", "--wait", "no", "-o", "ForwardAgent yes"); !strings.Contains(changed, "--wait no --disable-autostart") ||
		strings.Contains(changed, "ForwardX11") || !strings.Contains(changed, "ForwardAgent yes") {
		t.Errorf("with one of them changed:\n%s", changed)
	}
	if usual := section(); strings.Contains(usual, "--wait no") || !strings.Contains(usual, "Host *.berth\n") {
		t.Errorf("without them:\n%s", usual)
	}
	for _, bad := range [][]string{{"--wait", "maybe"}, {"--hostname-suffix", ""}, {"--hostname-suffix", "a b"}, {"--ssh-host-prefix", "*"}, {"-o", "a\nb"}} {
		if _, errs, code := f.run(t, append([]string{"config-ssh", "-n", "--ssh-config-file", file}, bad...)...); code != 2 {
			t.Errorf("%q: exit %d %s", bad, code, errs)
		}
	}
}

func TestHostNames(t *testing.T) {
	t.Parallel()
	both := sshSetup{Suffix: "dev", Prefix: "berth."}
	prefix := sshSetup{Prefix: "berth."}
	for _, c := range []struct {
		o          sshSetup
		host, want string
	}{
		{both, "web.dev", "web"}, {both, "berth.web", "web"}, {both, "berth.ana--web.main", "ana/web.main"}, {both, "berth.dev", "berth"},
		{prefix, "BERTH.web", "web"}, {prefix, "berth.", "berth."}, {prefix, "web.berth", "web.berth"},
	} {
		if got := targetOfHost(c.host, c.o.Prefix, c.o.Suffix); got != c.want {
			t.Errorf("%s: %s, want %s", c.host, got, c.want)
		}
	}
	for _, name := range []string{"web", "web.main", "ana/web", "ana/web.main"} {
		parsed, err := parseTarget(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []sshSetup{both, prefix, {Suffix: "berth"}} {
			if got := targetOfHost(o.hostOf(parsed), o.Prefix, o.Suffix); got != name {
				t.Errorf("%s became %s and that %s", name, o.hostOf(parsed), got)
			}
		}
	}
}
