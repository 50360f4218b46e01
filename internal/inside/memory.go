package inside

import (
	"os"

	"golang.org/x/sys/unix"
)

// inMemory makes a file that has no name and is on no disk, for this user
// alone, with text in it.
func inMemory(label, text string) (*os.File, error) {
	fd, err := unix.MemfdCreate(label, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), label)
	if err := f.Chmod(0o600); err != nil { // ssh does not take a key that others can read
		f.Close()
		return nil, err
	}
	if _, err := f.WriteString(text); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
