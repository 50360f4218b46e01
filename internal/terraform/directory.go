package terraform

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/journal"
)

// Names below a build's directory.
const (
	workName    = "work" // terraform's working directory
	stateName   = "work/terraform.tfstate"
	erroredName = "work/errored.tfstate" // where terraform puts a state that it cannot write
	backupName  = "work/terraform.tfstate.backup"
)

// maxState is the largest state that is read, in bytes.
const maxState = 256 << 20

// directory is one build's. With As set everything in it belongs to the build's
// user, who may replace what we have put there; so it is read only through
// root, which nothing in it can lead out of.
type directory struct {
	path string
	root *os.Root
}

// prepare fills a fresh directory for o and gives it to the build's user.
func prepare(o Options, variables []byte) (*directory, error) {
	path, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("preparing the build's directory: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("preparing the build's directory: %w", err)
	}
	work := filepath.Join(path, workName)
	if err := takeSeat(work, o.Seat); errors.Is(err, fs.ErrExist) {
		return nil, berth.Errorf(berth.Conflict, "the build's directory %s was used by another run; read it with Recover and remove it", path)
	} else if err != nil {
		return nil, fmt.Errorf("preparing the build's directory: %w", err)
	}
	err = errors.Join(
		os.MkdirAll(filepath.Join(path, "tmp"), 0o700),
		linkTemplate(o.Installation.Dir, work),
		writeConfig(path, o.Installation.Mirror, nil, ""),
		writeWhole(filepath.Join(path, "variables.tfvars.json"), variables, 0o600),
	)
	if err == nil && len(o.State) > 0 {
		err = writeWhole(filepath.Join(path, stateName), o.State, 0o600)
	}
	if err == nil {
		err = journal.Give(path, attributes(o.As).Credential)
	}
	if err != nil {
		return nil, fmt.Errorf("preparing the build's directory: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("preparing the build's directory: %w", err)
	}
	return &directory{path: path, root: root}, nil
}

// takeSeat makes the working directory, out of seat if there is one.
func takeSeat(work, seat string) error {
	if seat == "" {
		return os.Mkdir(work, 0o700)
	}
	if _, err := os.Lstat(work); err == nil {
		return fs.ErrExist
	}
	if err := os.Rename(seat, work); err != nil {
		return err
	}
	// It comes from where the build's user may put anything. Nobody else can
	// replace it here.
	info, err := os.Lstat(work)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return errors.Join(fmt.Errorf("%s is no directory", seat), os.Remove(work))
	}
	return nil
}

// linkTemplate links the entries of the installation into work, so that the
// template's files are shared and what it writes beside them is not.
func linkTemplate(template, work string) error {
	entries, err := os.ReadDir(template)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.Symlink(filepath.Join(template, entry.Name()), filepath.Join(work, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// writeConfig writes the command line configuration: plugins come from the
// mirrors and from nowhere else. more is what else it says.
func writeConfig(dir, mirror string, urls []string, more string) error {
	var b strings.Builder
	b.WriteString("disable_checkpoint = true\nprovider_installation {\n")
	for _, m := range mirrors(mirror) {
		abs, err := filepath.Abs(m)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "  filesystem_mirror {\n    path = %s\n  }\n", berth.QuoteHCL(abs))
	}
	for _, url := range urls {
		fmt.Fprintf(&b, "  network_mirror {\n    url = %s\n  }\n", berth.QuoteHCL(strings.TrimSuffix(url, "/")+"/"))
	}
	b.WriteString("}\n" + more)
	return writeWhole(filepath.Join(dir, "terraformrc"), []byte(b.String()), 0o600)
}

// writeWhole writes a new file and makes sure that it is on the disk.
func writeWhole(path string, content []byte, mode fs.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Sync(), file.Close())
}

// read reads a file of the directory, of at most most bytes, if it is a plain one.
func (d *directory) read(name string, most int64) ([]byte, error) {
	// Not blocking, so that a pipe in its place does not hold us up.
	file, err := d.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, berth.Errorf(berth.Invalid, "%s is not a plain file", name)
	case info.Size() > most:
		return nil, berth.Errorf(berth.Limit, "%s is larger than %d MB", name, most>>20)
	}
	return io.ReadAll(io.LimitReader(file, most))
}

// newest is the newest whole state in the directory; nil when there is none.
func (d *directory) newest() (state []byte, lineage string, serial int64) {
	for _, name := range []string{stateName, erroredName, backupName} {
		text, err := d.read(name, maxState)
		if err != nil {
			continue
		}
		l, s, err := Header(text)
		if err == nil && (state == nil || s > serial) {
			state, lineage, serial = text, l, s
		}
	}
	return state, lineage, serial
}

// reset makes the state what a run began with, and forgets what another run has
// left beside it.
func (d *directory) reset(state []byte, as *As) error {
	for _, name := range []string{stateName, erroredName, backupName, workName + "/.terraform.tfstate.lock.info", journalName + "/" + journal.FileName} {
		if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("preparing the build's directory again: %w", err)
		}
	}
	if len(state) == 0 {
		return nil
	}
	file, err := d.root.OpenFile(stateName, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("preparing the build's directory again: %w", err)
	}
	_, err = file.Write(state)
	if err == nil && as != nil {
		err = file.Chown(int(as.UID), int(as.GID))
	}
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("preparing the build's directory again: %w", err)
	}
	return nil
}

func (d *directory) close() { d.root.Close() }
