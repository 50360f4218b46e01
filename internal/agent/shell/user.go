package shell

import (
	"bufio"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// User is who sessions run as.
type User struct {
	Name  string // the number of the user where it has no name
	Home  string // a directory that exists
	Shell string // absolute path of a program that exists
}

// CurrentUser looks up the user of this process. HOME, USER and SHELL of env
// win over the user database where they can be used; a user that is not in the
// database gets the first shell that the system has, and a home that it can
// write, "/" at last.
func CurrentUser(env []string) User {
	entry := passwd("/etc/passwd", strconv.Itoa(os.Getuid()))
	u := User{Name: entry.Name, Home: entry.Home, Shell: entry.Shell}
	if u.Name == "" {
		if found, err := user.Current(); err == nil && found.Username != "" {
			u.Name = found.Username
		} else {
			u.Name = strconv.Itoa(os.Getuid())
		}
	}
	homes := []string{lookup(env, "HOME"), u.Home}
	if name := lookup(env, "USER"); name != "" {
		u.Name = name
	}
	u.Home = "/"
	for _, home := range homes {
		// A home of "/" is what container engines set for users without one.
		if filepath.IsAbs(home) && isDir(home) {
			u.Home = filepath.Clean(home)
			break
		}
	}
	shells := []string{lookup(env, "SHELL"), u.Shell, "/bin/bash", "/usr/bin/bash", "/bin/sh", "/usr/bin/sh", "/bin/ash"}
	u.Shell = "/bin/sh"
	if i := slices.IndexFunc(shells, usable); i >= 0 {
		u.Shell = shells[i]
	}
	return u
}

// passwd finds a user by number in a passwd file. It is read here, since Go's
// own lookup keeps the shell to itself.
func passwd(path, uid string) User {
	f, err := os.Open(path)
	if err != nil {
		return User{}
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, 4<<20))
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ":")
		if len(fields) >= 7 && fields[2] == uid {
			return User{Name: fields[0], Home: fields[5], Shell: strings.TrimSpace(fields[6])}
		}
	}
	return User{}
}

// usable tells whether path can be a person's shell. Accounts of services have
// programs there that only say no.
func usable(path string) bool {
	switch filepath.Base(path) {
	case "nologin", "false", "true", "sync":
		return false
	}
	info, err := os.Stat(path)
	return err == nil && filepath.IsAbs(path) && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// lookup is the value of name in env, the last one when there are several.
func lookup(env []string, name string) string {
	for _, e := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}
