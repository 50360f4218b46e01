package agent

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// settle makes ready what scripts and sessions find on the disk: the start
// directory, and the folder with our commands. What cannot be had is left out.
func (a *agent) settle() {
	a.dataDir = a.makeDataDir()
	m := a.manifest.Load()
	if m.Agent.Directory == "" {
		return
	}
	dir := expand(m.Agent.Directory, a.environment())
	if err := os.MkdirAll(dir, 0o755); err != nil {
		a.say("warn", "", fmt.Sprintf("The agent's directory %s cannot be made (%v); scripts and sessions start in the home directory.", dir, err))
		return
	}
	a.directory.Store(&dir)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		// Tells the server the directory; if this fails, the next hello does.
		if err := a.hello(ctx); err != nil {
			a.log.Debug("second hello", "error", err)
		}
	}()
}

// dir is where scripts and sessions start: the agent's directory, else home.
func (a *agent) dir() string {
	if dir := a.knownDir(); dir != "" {
		return dir
	}
	return value(a.environment(), "HOME")
}

func (a *agent) knownDir() string {
	if dir := a.directory.Load(); dir != nil {
		return *dir
	}
	return ""
}

func (a *agent) motd() string {
	if m := a.manifest.Load(); m != nil && m.Agent.MOTDFile != "" {
		return expand(m.Agent.MOTDFile, a.environment())
	}
	return ""
}

// banner is what new terminals begin with, as the server says.
func (a *agent) banner() string {
	if m := a.manifest.Load(); m != nil {
		return m.Banner
	}
	return ""
}

func (a *agent) binDir() string { return filepath.Join(a.dataDir, "bin") }

// scriptDir is the folder that a script may keep data in.
func (a *agent) scriptDir(id string) string {
	return filepath.Join(a.dataDir, "scripts", filepath.Base(id))
}

// makeDataDir finds a place for the folder of our commands and of the scripts'
// data, makes it and fills it. Empty: there is none.
func (a *agent) makeDataDir() string {
	name := "berth-agent-" + filepath.Base(a.manifest.Load().AgentID)
	places := []string{a.config.DataDir}
	if a.config.DataDir == "" {
		home := value(a.environment(), "HOME")
		places = []string{filepath.Join(os.TempDir(), name), filepath.Join("/var/tmp", name), filepath.Join(home, ".cache", name), filepath.Join("/dev/shm", name)}
	}
	var err error
	for _, dir := range places {
		if err = ownDir(dir); err == nil {
			if err = link(filepath.Join(dir, "bin")); err == nil {
				return dir
			}
		}
	}
	a.say("warn", "", fmt.Sprintf("There is no place for the commands berth and coder of this workspace (%v).", err))
	return ""
}

// ownDir makes dir, which only this user can write or list; others may pass to
// the commands in it, for those who sudo. One that is there is taken only when
// nobody else can have put it there.
func ownDir(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(stat.Uid) != os.Getuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s belongs to somebody else", dir)
	}
	return os.Chmod(dir, 0o711)
}

// link puts the names of our command into dir, as links to this program.
func link(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	self = moveIn(self, filepath.Dir(dir))
	for _, name := range []string{"berth", "coder", Askpass} {
		path := filepath.Join(dir, name)
		if to, err := os.Readlink(path); err == nil && to == self {
			continue
		}
		// Made beside and renamed, since a session may be calling it.
		os.Remove(path + ".new")
		if err := os.Symlink(self, path+".new"); err != nil {
			return err
		}
		if err := os.Rename(path+".new", path); err != nil {
			return err
		}
	}
	return nil
}

// downloadDir begins the name of the folder that the init script downloads to.
const downloadDir = ".berth-agent."

// moveIn moves a binary that the init script downloaded into dir and says where
// it is now. Each start downloads one; here the next takes the place of the last.
func moveIn(self, dir string) string {
	from := filepath.Dir(self)
	if !strings.HasPrefix(filepath.Base(from), downloadDir) {
		return self
	}
	to := filepath.Join(dir, filepath.Base(self))
	if os.Rename(self, to) != nil { // another file system, most likely
		return self
	}
	os.Remove(from)
	return to
}

// say puts a line of the agent's own into the log that people see.
func (a *agent) say(level, stage, text string) {
	a.log.Info(text)
	a.lines.add(level, stage, "agent", text)
}
