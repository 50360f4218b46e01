package agent

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// git itself reads what we wrote, whatever the name.
func TestGitConfig(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: there is no git on this machine")
	}
	for name, want := range map[string]string{
		"Ann Lee": "Ann Lee", `A "B" \ C`: `A "B" \ C`, "# ; a = b": "# ; a = b", "Zoë 名": "Zoë 名",
		"two\nlines\x07\t[core]\n\tsshCommand = evil": "two lines  [core]  sshCommand = evil", " spaces ": " spaces ",
	} {
		home := t.TempDir()
		made, err := makeGitConfig([]string{"HOME=" + home}, name, "ann@example.com")
		if !made || err != nil {
			t.Fatal(made, err)
		}
		get := func(key string) string {
			cmd := exec.Command("git", "config", "--file", home+"/.gitconfig", "--get", key)
			out, _ := cmd.Output()
			return strings.TrimSuffix(string(out), "\n")
		}
		if got := get("user.name"); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
		if get("user.email") != "ann@example.com" || get("core.sshCommand") != "" {
			t.Errorf("%q: %q %q", name, get("user.email"), get("core.sshCommand"))
		}
		if made, _ = makeGitConfig([]string{"HOME=" + home}, "other", ""); made {
			t.Error("made a second one")
		}
	}
}

func TestGitConfigThatIsThere(t *testing.T) {
	t.Parallel()
	for name, there := range map[string]func(home string) error{
		"a link to nowhere": func(h string) error { return os.Symlink("/does/not/exist", h+"/.gitconfig") },
		"in .config": func(h string) error {
			os.MkdirAll(h+"/.config/git", 0o755)
			return os.WriteFile(h+"/.config/git/config", nil, 0o644)
		},
		"in XDG_CONFIG_HOME": func(h string) error {
			os.MkdirAll(h+"/xdg/git", 0o755)
			return os.WriteFile(h+"/xdg/git/config", nil, 0o644)
		},
	} {
		home := t.TempDir()
		if err := there(home); err != nil {
			t.Fatal(err)
		}
		env := []string{"HOME=" + home}
		if name == "in XDG_CONFIG_HOME" {
			env = append(env, "XDG_CONFIG_HOME="+filepath.Join(home, "xdg"))
		}
		if made, err := makeGitConfig(env, "n", "e"); made || err != nil {
			t.Errorf("%s: %v %v", name, made, err)
		}
	}
}
