package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	sectionBegin = "# --- berth begin: made by `berth config-ssh`, which overwrites what is in here ---"
	sectionEnd   = "# --- berth end ---"
)

var errMarks = errors.New("the marks of Berth's section do not match: one `# --- berth begin` and one `# --- berth end` behind it; repair or delete them and try again")

// replaceSection puts section in place of the one in text, or at its end where
// there is none; an empty section takes it out. It gives the new text and the
// section that was there. Everything else stays byte for byte, but that a last
// line without an end gets one before a section.
func replaceSection(text, section string) (changed, before string, err error) {
	begin, end, err := findSection(text)
	if err != nil {
		return "", "", err
	}
	if begin < 0 {
		if section == "" {
			return text, "", nil
		}
		if text != "" && !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		return text + section, "", nil
	}
	return text[:begin] + section + text[end:], text[begin:end], nil
}

// findSection gives where the section begins and ends; begin is -1 where there
// is none.
func findSection(text string) (begin, end int, err error) {
	begin, end = -1, -1
	at := 0
	for line := range strings.Lines(text) {
		switch l := strings.TrimSpace(line); {
		case strings.HasPrefix(l, "# --- berth begin"):
			if begin >= 0 {
				return 0, 0, errMarks
			}
			begin = at
		case strings.HasPrefix(l, "# --- berth end"):
			if begin < 0 || end >= 0 {
				return 0, 0, errMarks
			}
			end = at + len(line)
		}
		at += len(line)
	}
	if begin >= 0 && end < 0 {
		return 0, 0, errMarks
	}
	return begin, end, nil
}

// writeSSHConfig replaces a file as a whole. A link stays a link, to the file
// that is changed; a file keeps its mode; a new one is for its owner alone, as
// OpenSSH wants it.
func writeSSHConfig(name string, content []byte) error {
	if to, err := filepath.EvalSymlinks(name); err == nil {
		name = to
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	} else if to, err := os.Readlink(name); err == nil { // to what is not there yet
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(name), to)
		}
		name = to
	}
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	return writeFile(name, content, mode)
}
