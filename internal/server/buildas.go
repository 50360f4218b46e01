package server

import (
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/terraform"
)

// buildAs is the user that builds and process workspaces run as; nil means the
// server's own. Only root can make others run.
func buildAs(name string, log *slog.Logger) (*terraform.As, error) {
	if os.Geteuid() != 0 {
		if self, err := user.Current(); name != "" && (err != nil || name != self.Username && name != self.Uid) {
			return nil, berth.Errorf(berth.Invalid, "--build-user %s: only a server that is root can run builds as another user", name)
		}
		return nil, nil
	}
	if name == "" {
		name = "nobody"
	}
	u, err := user.Lookup(name)
	if err != nil {
		u, err = user.LookupId(name)
	}
	if err != nil {
		return nil, &berth.Error{Code: berth.Invalid, Err: err,
			Message: fmt.Sprintf("--build-user %s: there is no such user on this machine; make it, or name another", name)}
	}
	as, err := asUser(u)
	if err != nil {
		return nil, fmt.Errorf("looking up the build user %s: %w", name, err)
	}
	if as.UID == 0 {
		log.Warn("builds run as root: whoever pushes templates can do anything on this machine")
		return nil, nil
	}
	return as, nil
}

func asUser(u *user.User) (*terraform.As, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	as := &terraform.As{UID: uint32(uid), GID: uint32(gid), Groups: []uint32{uint32(gid)}}
	groups, err := u.GroupIds()
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if id, err := strconv.ParseUint(g, 10, 32); err == nil {
			as.Groups = append(as.Groups, uint32(id))
		}
	}
	if gid, ok := dockerGroup(); ok {
		as.Groups = append(as.Groups, gid)
	}
	slices.Sort(as.Groups)
	as.Groups = slices.Compact(as.Groups)
	return as, nil
}

// dockerGroup owns the docker socket: without it templates could not make
// containers. A socket of root's group is left alone.
func dockerGroup() (uint32, bool) {
	path := "/var/run/docker.sock"
	if host, ok := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "unix://"); ok {
		path = host
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return stat.Gid, ok && stat.Gid != 0
}
