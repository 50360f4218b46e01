package terraform

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/berthdev/berth"
)

// mirrors are the directories that a Mirror setting names.
func mirrors(setting string) []string {
	return slices.DeleteFunc(filepath.SplitList(setting), func(s string) bool { return s == "" })
}

// platform is the name of a plugin's directory for this machine.
var platform = runtime.GOOS + "_" + runtime.GOARCH

// pluginDir finds the unpacked directory of a plugin: "host/namespace/type".
func pluginDir(dirs []string, p berth.Plugin) (string, bool) {
	for _, dir := range dirs {
		path := filepath.Join(dir, filepath.FromSlash(p.Source), p.Version, platform)
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return path, true
		}
	}
	return "", false
}

// packed tells whether a mirror has the plugin as an archive.
func packed(dirs []string, p berth.Plugin) bool {
	name := fmt.Sprintf("terraform-provider-%s_%s_%s.zip", path.Base(p.Source), p.Version, platform)
	return slices.ContainsFunc(dirs, func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, filepath.FromSlash(p.Source), name))
		return err == nil
	})
}

// available lists the plugins in the mirrors for an error, as people write
// their sources.
func available(dirs []string, tofu bool) string {
	host := "registry.terraform.io/"
	if tofu {
		host = "registry.opentofu.org/"
	}
	var list []string
	for _, dir := range dirs {
		found, _ := filepath.Glob(filepath.Join(dir, "*", "*", "*", "*", platform))
		for _, path := range found {
			rel, err := filepath.Rel(dir, filepath.Dir(path))
			if err == nil && (strings.HasPrefix(rel, host) || !strings.HasPrefix(rel, "registry.")) {
				list = append(list, strings.TrimPrefix(filepath.ToSlash(filepath.Dir(rel)), host)+" "+filepath.Base(rel))
			}
		}
	}
	slices.Sort(list)
	if list = slices.Compact(list); len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// seal is what is remembered of a file, so that it is hashed once.
type seal struct {
	Seen string `json:"seen"` // changes when the file may have
	Sum  string `json:"sum"`
}

// fingerprint is a hash of everything in the mirrors. Sums of files that have
// not changed are taken from cache, a file that it may rewrite.
func fingerprint(dirs []string, cache string) (string, error) {
	known := map[string]seal{}
	if text, err := os.ReadFile(cache); err == nil {
		_ = json.Unmarshal(text, &known) // a broken cache is made again
	}
	found, changed := map[string]seal{}, false
	total := sha256.New()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") || strings.HasSuffix(entry.Name(), ".part") {
				return err
			}
			s, fresh, err := sum(path, entry, known)
			if err != nil {
				return err
			}
			found[path], changed = s, changed || fresh
			fmt.Fprintf(total, "%s\x00%s\x00", path, s.Sum)
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("reading the plugin mirror: %w", err)
		}
	}
	if changed {
		_ = remember(cache, found) // only costs time
	}
	return hex.EncodeToString(total.Sum(nil)), nil
}

func sum(path string, entry fs.DirEntry, known map[string]seal) (s seal, fresh bool, err error) {
	if entry.Type()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		return seal{Sum: target}, false, err
	}
	info, err := entry.Info()
	if err != nil || !info.Mode().IsRegular() {
		return seal{}, false, err
	}
	seen := fmt.Sprint(info.Size(), info.ModTime().UnixNano(), identity(info))
	if k, ok := known[path]; ok && k.Seen == seen {
		return k, false, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return seal{}, false, err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return seal{}, false, err
	}
	return seal{Seen: seen, Sum: hex.EncodeToString(h.Sum(nil))}, true, nil
}

func remember(cache string, found map[string]seal) error {
	text, err := json.Marshal(found)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(cache), ".mirror-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), cache)
}
