package journal

import (
	"io/fs"
	"os"
	"syscall"
)

// Give makes the user of plugins the owner of a directory and of everything below
// it; nil: nothing is changed. From the first of it on that user may put links
// there, so none is followed.
func Give(dir string, to *syscall.Credential) error {
	if to == nil {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return root.Lchown(name, int(to.Uid), int(to.Gid))
	})
}
