package agent

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// makeGitConfig makes ~/.gitconfig with a name and address for commits, where
// the home has no git configuration. One that is there, even as a link to
// nowhere, is left as it is.
func makeGitConfig(env []string, name, email string) (made bool, err error) {
	home := value(env, "HOME")
	path := filepath.Join(home, ".gitconfig")
	xdg := cmp.Or(value(env, "XDG_CONFIG_HOME"), filepath.Join(home, ".config"))
	for _, there := range []string{path, filepath.Join(xdg, "git", "config")} {
		if _, err := os.Lstat(there); err == nil {
			return false, nil
		}
	}
	text := "[user]\n"
	for _, field := range [][2]string{{"name", name}, {"email", email}} {
		if field[1] != "" {
			text += fmt.Sprintf("\t%s = %s\n", field[0], gitQuoted(field[1]))
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(path) // half of one would count as one
		return false, err
	}
	return true, nil
}

// gitQuoted is a value as git reads it from a configuration file.
func gitQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
