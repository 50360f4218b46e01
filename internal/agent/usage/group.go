package usage

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// firstGroups is the name of the control group namespace that a machine starts
// with; a container most often has another.
const firstGroups = "cgroup:[4026531835]"

// firstProcesses is the same of process numbers.
const firstProcesses = "pid:[4026531836]"

// Contained tells whether this process has process numbers of its own, as in a
// container: then all that it sees of /proc belongs to the container.
func (r Reader) Contained() bool {
	name, err := os.Readlink(filepath.Join(r.root, "proc/self/ns/pid"))
	return err == nil && name != firstProcesses
}

// groups are the control groups of this process for one controller, from its
// own outwards as far as it can see.
type groups struct {
	dirs  []string // below the reader's root
	two   bool     // of version 2
	whole bool     // the outermost is the whole machine
}

// groups finds the groups of a controller; ok is false when there are none.
func (r Reader) groups(controller string) (g groups, ok bool) {
	own, err := r.text("proc/self/cgroup")
	if err != nil {
		return g, false
	}
	two := ""
	for line := range strings.Lines(own) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		if f[1] == "" {
			two = f[2]
		} else if slices.Contains(strings.Split(f[1], ","), controller) {
			if g, ok := r.below(f[2], controller); ok {
				return g, true
			}
		}
	}
	if two == "" {
		return g, false
	}
	return r.below(two, "")
}

// below lists the groups from the one named outwards, where a controller's
// hierarchy of version 1, or that of version 2 for none, is mounted.
func (r Reader) below(name, controller string) (g groups, ok bool) {
	mount, root, ok := r.mount(controller)
	if !ok {
		return g, false
	}
	inner, inside := strings.CutPrefix(path.Clean(name), strings.TrimSuffix(root, "/"))
	if !inside || strings.Contains(name, "..") || !r.isDir(path.Join(mount, inner)) {
		inner = "" // a container may be told the name that the machine knows
	}
	for {
		g.dirs = append(g.dirs, path.Join(mount, inner))
		if inner == "" || inner == "/" || inner == "." {
			break
		}
		inner = path.Dir(inner)
	}
	space, err := os.Readlink(filepath.Join(r.root, "proc/self/ns/cgroup"))
	g.two, g.whole = controller == "", root == "/" && (err != nil || space == firstGroups)
	return g, true
}

// mount finds where a hierarchy is mounted and which of its groups that shows.
func (r Reader) mount(controller string) (point, root string, ok bool) {
	text, err := r.text("proc/self/mountinfo")
	if err != nil {
		return "", "", false
	}
	for line := range strings.Lines(text) {
		left, right, _ := strings.Cut(line, " - ")
		l, f := strings.Fields(left), strings.Fields(right)
		if len(l) < 5 || len(f) < 1 {
			continue
		}
		switch {
		case controller == "" && f[0] == "cgroup2":
		case controller != "" && f[0] == "cgroup" && len(f) > 2 && slices.Contains(strings.Split(f[2], ","), controller):
		default:
			continue
		}
		return l[4], l[3], true
	}
	return "", "", false
}

func (r Reader) isDir(name string) bool {
	info, err := os.Stat(filepath.Join(r.root, name))
	return err == nil && info.IsDir()
}

// tightest is the group with the lowest limit, and that limit. Without any it
// is the outermost group, if that is not the whole machine. ok is false when
// there is nothing to measure but the machine.
func (g groups) tightest(limit func(dir string) (float64, bool)) (at int, lowest float64, ok bool) {
	at = -1
	for i, dir := range g.dirs {
		if n, limited := limit(dir); limited && (at < 0 || n < lowest) {
			at, lowest = i, n
		}
	}
	if at < 0 && !g.whole {
		return len(g.dirs) - 1, 0, true
	}
	return at, lowest, at >= 0
}
