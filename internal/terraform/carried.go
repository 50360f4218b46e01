package terraform

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// Carried is the archive of what was resolved for an installation, from which
// others make the same one without a network; nil when that is too large.
func (i Installation) Carried() ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(filepath.Dir(i.Dir), carriedName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the installation: %w", err)
	}
	return data, nil
}

// carry gives the hash of what a fresh installation carries. One that was made
// from a carried archive carries that.
func carry(fresh, carried string) (hash, note string, err error) {
	if carried != "" {
		return carried, "", nil
	}
	template := filepath.Join(fresh, "template")
	data, tooLarge, err := source.PackCarried(template)
	if err != nil {
		return "", "", err
	}
	if tooLarge { // told apart from others by its list of modules and its lock
		list, _ := os.ReadFile(filepath.Join(template, source.ModulesDir, "modules.json"))
		lock, _ := os.ReadFile(filepath.Join(template, lockName))
		return hashOf(append(list, lock...)), fmt.Sprintf("the modules of this template are too large to be carried with the version (more than %d MB): "+
			"other workspace providers fetch them again from where they are", source.MaxCarried>>20), nil
	}
	if err := writeWhole(filepath.Join(fresh, carriedName), data, 0o444); err != nil {
		return "", "", fmt.Errorf("packing the modules: %w", err)
	}
	return hashOf(data), "", nil
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// unpackCarried puts what an import has resolved into the template, and gives
// its lock file.
func (i *Installer) unpackCarried(ctx context.Context, template string, t Template) (lock []byte, err error) {
	r, err := t.Modules(ctx)
	if err != nil {
		return nil, fmt.Errorf("getting the modules of the version: %w", err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxArchive))
	if err != nil {
		return nil, fmt.Errorf("getting the modules of the version: %w", err)
	}
	if hashOf(data) != t.Carried {
		return nil, berth.Errorf(berth.Internal, "the archive of the version's modules is not the one that was asked for")
	}
	files, err := source.ReadCarried(data)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(template)
	if err != nil {
		return nil, fmt.Errorf("unpacking the modules: %w", err)
	}
	defer root.Close()
	for name, file := range files.ForHost(i.registry()) {
		if name == lockName {
			continue
		}
		if err := writeFile(root, filepath.FromSlash(name), file.Executable, bytes.NewReader(file.Data)); err != nil {
			return nil, fmt.Errorf("unpacking the modules: %w", err)
		}
	}
	return files[lockName].Data, nil
}

// registry is the engine's public one.
func (i *Installer) registry() string {
	if i.Engine.Tofu {
		return source.Registries[1]
	}
	return source.Registries[0]
}

// takeLock reads the lock file of a template and removes it.
func takeLock(template string) ([]byte, error) {
	path := filepath.Join(template, lockName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, errors.Join(err, os.Remove(path))
}

// locked says which versions init must choose: those that a lock file names, as
// far as the mirrors have them. The hashes in it are of other builds of the same
// plugins, and those of the mirrors are checked by us. What cannot be kept is told.
func (i *Installer) locked(ctx context.Context, text []byte, carried bool) (keep []berth.Plugin, notes []string, err error) {
	named, err := parseLock(text)
	if err != nil {
		return nil, nil, &RunError{Code: berth.FailedTerraform, Err: berth.Errorf(berth.Invalid, "the template's lock file cannot be read: %v", err)}
	}
	for _, p := range named {
		for _, other := range source.Registries {
			if rest, ok := strings.CutPrefix(p.Source, other+"/"); ok {
				p.Source = i.registry() + "/" + rest
			}
		}
		_, ok := pluginDir(mirrors(i.Mirror), p)
		if ok || packed(mirrors(i.Mirror), p) || slices.ContainsFunc(i.PluginURLs, func(url string) bool { return offered(ctx, url, p) }) {
			keep = append(keep, p)
			continue
		}
		who := "the lock file names"
		if carried {
			who = "the version was imported with"
		}
		notes = append(notes, fmt.Sprintf("%s the plugin %s in version %s, which this workspace provider does not have; "+
			"the newest that required_providers allows is used instead", who, p.Source, p.Version))
	}
	return keep, notes, nil
}
