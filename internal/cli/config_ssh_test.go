package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The rest of the file is never touched: putting a section in, putting another
// in and taking it out again gives the file that was there.
func TestSectionLeavesTheRestAlone(t *testing.T) {
	t.Parallel()
	line := rapid.OneOf(rapid.Just(""), rapid.Just("Host *"), rapid.Just("\tUser x\r"), rapid.Just("# --- berth"), rapid.StringMatching(`[ -~]{0,20}`))
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(line).Draw(t, "lines"), "\n")
		if _, _, err := findSection(text); err != nil {
			t.Skip("marks by chance")
		}
		want := text
		if text != "" && !strings.HasSuffix(text, "\n") {
			want += "\n"
		}
		for _, s := range []string{"one", "two\nlines", ""} {
			if s != "" {
				s = sectionBegin + "\n" + s + "\n" + sectionEnd + "\n"
			}
			changed, _, err := replaceSection(text, s)
			if err != nil || strings.Replace(changed, s, "", 1) != want || !strings.Contains(changed, s) {
				t.Fatalf("%q with %q: %q %v", text, s, changed, err)
			}
			if again, _, _ := replaceSection(changed, s); again != changed {
				t.Fatalf("a second time changes: %q", again)
			}
			text = changed
		}
	})
}

func TestDamagedMarksAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{sectionBegin, sectionEnd, sectionEnd + "\n" + sectionBegin, sectionBegin + "\n" + sectionBegin + "\n" + sectionEnd,
		sectionBegin + "\n" + sectionEnd + "\n" + sectionEnd} {
		if _, _, err := replaceSection(text, "x"); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestConfigSSH(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	dir := t.TempDir()
	real, link := filepath.Join(dir, "dotfiles"), filepath.Join(dir, "config")
	os.WriteFile(real, []byte("Host x\n\tUser y"), 0o640)
	os.Symlink("dotfiles", link)

	_, errs, code := f.run(t, "config-ssh", "--ssh-config-file", link, "--dry-run")
	if b, _ := os.ReadFile(real); code != 0 || string(b) != "Host x\n\tUser y" || !strings.Contains(errs, "+ Host *.berth") {
		t.Errorf("dry run: exit %d %q %s", code, b, errs)
	}
	if _, errs, code := f.run(t, "config-ssh", "--ssh-config-file", link); code != 2 || !strings.Contains(errs, "-y") {
		t.Errorf("unasked: exit %d %s", code, errs)
	}
	for range 2 {
		if out, errs, code := f.run(t, "config-ssh", "-y", "--ssh-config-file", link, "-o", "ForwardAgent yes"); code != 0 {
			t.Fatalf("exit %d %s%s", code, out, errs)
		}
	}
	b, _ := os.ReadFile(real)
	self, _ := os.Executable()
	for _, want := range []string{"Host x\n\tUser y\n" + sectionBegin, self, f.dir, "\tForwardAgent yes\n"} {
		if strings.Count(string(b), want) != 1 {
			t.Errorf("%q is not there once: %s", want, b)
		}
	}
	info, _ := os.Stat(real)
	if l, err := os.Readlink(link); err != nil || l != "dotfiles" || info.Mode() != 0o640 {
		t.Errorf("link %q %v, mode %v", l, err, info.Mode())
	}
	if ssh, err := exec.LookPath("ssh"); err == nil {
		out, err := exec.Command(ssh, "-G", "-F", link, "ana--web.main.berth").CombinedOutput()
		if err != nil || !strings.Contains(strings.ToLower(string(out)), "stricthostkeychecking false") || !strings.Contains(string(out), "--stdio") {
			t.Errorf("OpenSSH reads it as: %v %s", err, out)
		}
	}
	if _, errs, code := f.run(t, "config-ssh", "--remove", "-y", "--ssh-config-file", link); code != 0 {
		t.Errorf("remove: exit %d %s", code, errs)
	}
	if b, _ := os.ReadFile(real); string(b) != "Host x\n\tUser y\n" {
		t.Errorf("after remove: %q", b)
	}
	fresh := filepath.Join(dir, "new", "config")
	if _, _, code := f.run(t, "config-ssh", "-y", "--ssh-config-file", fresh); code != 0 {
		t.Errorf("a new file: exit %d", code)
	}
	if info, err := os.Stat(fresh); err != nil || info.Mode() != 0o600 {
		t.Errorf("a new file: %v %v", info, err)
	}
}

func TestTargetOfHost(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"web.berth": "web", "web.main.berth": "web.main", "ana--web.berth": "ana/web", "ana--web.main.BERTH": "ana/web.main",
		"my-web.berth": "my-web", "web": "web", ".berth": ".berth"} {
		if got := targetOfHost(in, "", "berth"); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if got := targetOfHost("web.berth", "", ""); got != "web.berth" {
		t.Errorf("without a suffix: %s", got)
	}
}

// The shell that runs ProxyCommand sees the path as it is, whatever is in it.
func TestShellWord(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[ -~]{1,12}`).Draw(t, "path")
		out, err := exec.Command("sh", "-c", "printf %s "+strings.ReplaceAll(shellWord(s), "%%", "%")).Output()
		if err != nil || string(out) != s {
			t.Fatalf("%q: %q %v", s, out, err)
		}
	})
}
