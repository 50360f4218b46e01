package terraform

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/journal"
)

// attend has every plugin of the template serve: those that serve already, and
// the others in processes started now, with their directories below temp. One
// that host, the program of the journal, can serve by itself gets no process.
func (r *run) attend(ctx context.Context, temp, host string) ([]journal.Upstream, []*journal.Process, error) {
	plugins, _, err := resolved(r.Installation.Dir)
	if err != nil {
		return nil, nil, err
	}
	env := environ(r.dir.path, r.Options)
	ups, processes, failed := make([]journal.Upstream, len(plugins)), make([]*journal.Process, len(plugins)), make([]error, len(plugins))
	var all sync.WaitGroup
	for i, p := range plugins {
		if j := slices.IndexFunc(r.Plugins, func(u journal.Upstream) bool { return u.Source == p.Source }); j >= 0 {
			ups[i] = r.Plugins[j]
			continue
		}
		binary, err := r.Installation.binary(p)
		if err != nil {
			failed[i] = err
			continue
		}
		if inner := innerName(p, binary, host); inner != "" {
			ups[i] = journal.Upstream{Source: p.Source, Protocol: 5, Inner: inner}
			continue
		}
		all.Go(func() {
			processes[i], ups[i], failed[i] = r.launch(ctx, p, binary, filepath.Join(temp, strconv.Itoa(i)), env)
		})
	}
	all.Wait()
	return ups, processes, errors.Join(failed...)
}

// innerName is the name of a plugin that the program of the journal serves by
// itself; "" of any other, or of the same in another version.
func innerName(p berth.Plugin, binary, host string) string {
	if host == "" || !isCoder(p.Source) {
		return ""
	}
	own, err1 := os.Stat(host)
	its, err2 := os.Stat(binary)
	if err1 != nil || err2 != nil || !os.SameFile(own, its) {
		return ""
	}
	return "coder"
}

// launch starts one of the template's plugins for this build.
func (r *run) launch(ctx context.Context, p berth.Plugin, binary, temp string, env []string) (*journal.Process, journal.Upstream, error) {
	if err := r.makeOwn(temp); err != nil {
		return nil, journal.Upstream{}, err
	}
	return journal.Launch(ctx, journal.Command{
		Source: p.Source, Path: binary, Env: env, Dir: filepath.Join(r.dir.path, workName), Temp: filepath.Join(r.dir.path, temp), Attr: attributes(r.As),
	})
}

// makeOwn makes a directory for the build's user alone.
// It lies below the build's, which is that user's already: nothing in it is to lead
// us elsewhere.
func (r *run) makeOwn(name string) error {
	if err := r.dir.root.Mkdir(name, 0o700); err != nil || r.As == nil {
		return err
	}
	return r.dir.root.Lchown(name, int(r.As.UID), int(r.As.GID))
}

// dismiss ends plugins that were started, and says what those had to say that
// crashed.
func (r *run) dismiss(processes []*journal.Process) {
	for _, p := range processes {
		if p == nil {
			continue
		}
		p.Kill()
		if crash := p.Crash(); crash != "" {
			r.say("error", "A plugin of this build crashed:\n"+crash)
		}
	}
}

// gather has the template's plugins serve for several runs of terraform, which
// would start each of them time and again: all but the coder plugin, which is
// there for one environment (see host). Where a plugin may have several
// configurations, or cannot be started, terraform does it.
func (r *run) gather(ctx context.Context) (dismiss func()) {
	none := func() {}
	if why, err := Cold(r.Installation, r.Engine.Tofu); err != nil || why != "" {
		return none
	}
	plugins, _, err := resolved(r.Installation.Dir)
	if err != nil {
		return none
	}
	var started []*journal.Process
	ups := slices.Clone(r.Plugins)
	for i, p := range plugins {
		binary, err := r.Installation.binary(p)
		if err != nil {
			return none
		}
		if isCoder(p.Source) || slices.ContainsFunc(ups, func(u journal.Upstream) bool { return u.Source == p.Source }) {
			continue
		}
		process, up, err := r.launch(ctx, p, binary, filepath.Join("tmp", "kept"+strconv.Itoa(i)), environ(r.dir.path, r.Options))
		if err != nil {
			r.dismiss(started)
			return none
		}
		started, ups = append(started, process), append(ups, up)
	}
	r.Plugins, r.gathered = ups, true
	return func() { r.dismiss(started) }
}

// host has the coder plugin serve in the environment that r has now, where the
// others do.
func (r *run) host(ctx context.Context) (dismiss func()) {
	none := func() {}
	plugins, _, err := resolved(r.Installation.Dir)
	i := slices.IndexFunc(plugins, func(p berth.Plugin) bool { return isCoder(p.Source) })
	if err != nil || !r.gathered {
		return none
	}
	var started []*journal.Process
	ups := slices.Clone(r.Plugins)
	if i >= 0 {
		binary, err := r.Installation.binary(plugins[i])
		if err != nil {
			return none
		}
		r.hosted++
		process, up, err := r.launch(ctx, plugins[i], binary, filepath.Join("tmp", "coder"+strconv.Itoa(r.hosted)), environ(r.dir.path, r.Options))
		if err != nil {
			return none
		}
		started, ups = append(started, process), append(ups, up)
	}
	text, err := reattach(ups)
	if err != nil {
		r.dismiss(started)
		return none
	}
	r.Env = maps.Clone(r.Env)
	r.Env[reattachVariable] = text
	return func() {
		delete(r.Env, reattachVariable)
		r.dismiss(started)
	}
}

func isCoder(source string) bool { return strings.HasSuffix(source, "/"+coderPlugin) }
