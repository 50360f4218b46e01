package terraform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/journal"
	"github.com/berthdev/berth/internal/source"
)

// resolve runs `terraform init` on a copy of the template and puts what it
// chose into the template: links to the plugins, copies of modules, and a lock
// file without hashes. Of modules that are carried nothing is fetched.
func (i *Installer) resolve(ctx context.Context, template string, t Template, given []byte, log func(berth.Log)) (notes []string, err error) {
	keep, notes, err := i.locked(ctx, given, t.Carried != "")
	if err != nil {
		return nil, err
	}
	if t.Carried != "" { // an import says its notes itself
		for _, note := range notes {
			log(berth.Log{At: time.Now(), Level: "warn", Stage: "init", Source: "berth", Text: "Note: " + note + "."})
		}
	}
	scratch, err := os.MkdirTemp(i.Dir, ".init-*")
	if err != nil {
		return nil, fmt.Errorf("preparing an installation: %w", err)
	}
	defer discard(scratch)
	work := filepath.Join(scratch, "work")
	more := ""
	if t.Carried == "" {
		registries, close, err := i.registryConfig()
		defer close()
		if err != nil {
			return nil, err
		}
		more = registries
	}
	err = errors.Join(os.Mkdir(filepath.Join(scratch, "tmp"), 0o700), os.CopyFS(work, os.DirFS(template)), i.seed(t, work),
		writeConfig(scratch, i.Mirror, i.PluginURLs, more))
	if err == nil && len(keep) > 0 {
		err = writeWhole(filepath.Join(work, lockName), writeLock(keep), 0o644)
	}
	if err = errors.Join(err, journal.Give(scratch, attributes(i.As).Credential)); err != nil {
		return nil, fmt.Errorf("preparing an installation: %w", err)
	}
	if err := i.init(ctx, scratch, work, t.Carried != "", log); err != nil {
		return nil, err
	}
	return notes, i.take(work, template, t.Carried == "")
}

// seed copies modules that an earlier installation of the same archive has, so
// that a changed plugin does not fetch them anew.
func (i *Installer) seed(t Template, work string) error {
	if t.Carried != "" || t.Anew {
		return nil
	}
	found, _ := filepath.Glob(filepath.Join(i.Dir, t.Hash+"-*", "template", filepath.FromSlash(source.ModulesDir)))
	if len(found) == 0 {
		return nil
	}
	return os.CopyFS(filepath.Join(work, filepath.FromSlash(source.ModulesDir)), os.DirFS(found[0]))
}

func (i *Installer) init(ctx context.Context, scratch, work string, carried bool, log func(berth.Log)) error {
	s := newStream("init", log)
	var said []string
	args := []string{"init", "-json", "-input=false"}
	if carried {
		args = append(args, "-get=false")
	}
	c := call{
		path: i.Engine.Path, args: args, dir: work,
		env: environ(scratch, Options{Pass: fetchers()}), as: i.As,
		stdout: s.line,
		stderr: func(line []byte) { said = append(said, string(line)); s.problem(line) },
	}
	err := c.run(ctx)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return canceled(ctx)
	}
	if len(s.errors) == 0 {
		s.errors = append(said, err.Error())
	}
	return i.explain(s.errors)
}

var (
	noPlugin  = regexp.MustCompile(`for provider (\S+): provider \S+ was not found`)
	noVersion = regexp.MustCompile(`for provider (\S+): no available releases match the given constraints (.+?)(?: To see which modules.*)?$`)
	noRelease = regexp.MustCompile(`no available version of module "([^"]+)" \(([^)]+)\)[^.]*\.(?: The newest available version is (\S+)\.)?`)
	noModule  = regexp.MustCompile(`(?:Could not download module|available versions for module|Module) "?([^" ]+)"? \(([^)]+)\)`)
)

// AddPlugin is the cure for a plugin that is not there; who imports without a
// server has another one.
const AddPlugin = "have the administrator add it to the plugin mirror"

// explain turns what init said into sentences that name the cure.
func (i *Installer) explain(said []string) error {
	var list []string
	for _, line := range said {
		switch {
		case noPlugin.MatchString(line):
			m := noPlugin.FindStringSubmatch(line)
			list = append(list, fmt.Sprintf("the template needs the plugin %s, which this workspace provider does not have; it has: %s. "+
				"Use one of these, or "+AddPlugin, m[1], available(mirrors(i.Mirror), i.Engine.Tofu)))
		case noVersion.MatchString(line):
			m := noVersion.FindStringSubmatch(line)
			list = append(list, fmt.Sprintf("the template needs the plugin %s in version %q, which this workspace provider does not have; it has: %s. "+
				"Change the version in required_providers, or "+AddPlugin, m[1], m[2], available(mirrors(i.Mirror), i.Engine.Tofu)))
		case noRelease.MatchString(line):
			m := noRelease.FindStringSubmatch(line)
			list = append(list, fmt.Sprintf("the module %s (%s) is not there in a version that its call allows; the newest that is there is %s. "+
				"Change the version in the template, or have the administrator add it to the module mirror", m[1], m[2], cmp.Or(m[3], "none")))
		case noModule.MatchString(line):
			m := noModule.FindStringSubmatch(line)
			list = append(list, fmt.Sprintf("the module %q (%s) cannot be had from here: put it into the template as a local directory (source = \"./modules/%s\"), "+
				"have the administrator add it to the module mirror, or let the workspace provider reach its source. Terraform said: %s", m[1], m[2], m[1], line))
		default:
			list = append(list, line)
		}
		if len(list) == source.MaxShown {
			break
		}
	}
	return &RunError{Code: berth.FailedTerraform, Err: berth.Errorf(berth.Invalid, "%s", strings.Join(list, "\n"))}
}

// take copies from work, which another user may have written, what init chose.
// Nothing there is followed to a place outside of it.
func (i *Installer) take(work, template string, modules bool) error {
	from, err := os.OpenRoot(work)
	if err != nil {
		return fmt.Errorf("reading what terraform chose: %w", err)
	}
	defer from.Close()
	text, err := from.ReadFile(lockName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading what terraform chose: %w", err)
	}
	plugins, err := parseLock(text)
	if err != nil {
		return err
	}
	for _, p := range plugins {
		if err := i.link(from, p, template); err != nil {
			return fmt.Errorf("installing the plugin %s: %w", p.Source, err)
		}
	}
	if _, err := from.Lstat(source.ModulesDir); err == nil && modules {
		if err := copyTree(from, source.ModulesDir, filepath.Join(template, source.ModulesDir)); err != nil {
			return fmt.Errorf("installing modules: %w", err)
		}
	}
	if err := os.MkdirAll(filepath.Join(template, ".terraform"), 0o755); err != nil {
		return fmt.Errorf("installing plugins: %w", err)
	}
	return writeWhole(filepath.Join(template, lockName), writeLock(plugins), 0o644)
}

// link puts a plugin where terraform looks for it: a link into the mirror, or
// a copy of what init has unpacked from a packed one.
func (i *Installer) link(from *os.Root, p berth.Plugin, template string) error {
	rel := filepath.Join(".terraform", "providers", filepath.FromSlash(p.Source), p.Version, platform)
	to := filepath.Join(template, rel)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if dir, ok := pluginDir(mirrors(i.Mirror), p); ok {
		dir, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		return os.Symlink(dir, to)
	}
	return copyTree(from, rel, to)
}

// copyTree copies the plain files and directories below rel. Links are left
// out: whoever wrote them may have meant them for us.
func copyTree(from *os.Root, rel, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	into, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer into.Close()
	left := int64(maxArchive * 5)
	return fs.WalkDir(from.FS(), filepath.ToSlash(rel), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.Name() == ".git" && entry.IsDir() {
			return fs.SkipDir
		}
		name, err := filepath.Rel(rel, filepath.FromSlash(path))
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir():
			return into.MkdirAll(name, 0o755)
		case !entry.Type().IsRegular():
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if left -= info.Size(); left < 0 {
			return berth.Errorf(berth.Limit, "the template's modules are larger than %d MB", maxArchive*5>>20)
		}
		file, err := from.Open(filepath.FromSlash(path))
		if err != nil {
			return err
		}
		defer file.Close()
		return writeFile(into, name, info.Mode()&0o111 != 0, file)
	})
}
