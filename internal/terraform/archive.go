package terraform

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/berthdev/berth"
)

// Bounds of an unpacked archive. Uploads are checked more strictly; these hold
// when that went wrong.
const (
	maxArchive      = 200 << 20 // bytes
	maxArchiveFiles = 20_000
)

// unpack writes the files of a tar into dir, which is empty. Anything but plain
// files and directories inside of it is refused.
func unpack(dir string, archive io.Reader) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpacking the template: %w", err)
	}
	defer root.Close()
	left, files := int64(maxArchive), 0
	for r := tar.NewReader(archive); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpacking the template: %w", err)
		}
		name := filepath.FromSlash(path.Clean(h.Name))
		if !filepath.IsLocal(name) {
			return berth.Errorf(berth.Invalid, "the template's archive has a file outside of its directory: %q", h.Name)
		}
		if files++; files > maxArchiveFiles || h.Size > left {
			return berth.Errorf(berth.Limit, "the template's archive is too large: more than %d files or %d MB", maxArchiveFiles, maxArchive>>20)
		}
		if dropped(name) {
			continue
		}
		switch h.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case tar.TypeReg:
			left -= h.Size
			err = writeFile(root, name, h.FileInfo().Mode()&0o111 != 0, r)
		case tar.TypeXGlobalHeader:
		default:
			err = berth.Errorf(berth.Invalid, "the template's archive has a link or device: %q", h.Name)
		}
		if err != nil {
			return fmt.Errorf("unpacking the template: %w", err)
		}
	}
}

// dropped tells which files of an archive are left out: what another run of
// terraform left there. The template's own lock file is read and then replaced.
func dropped(name string) bool {
	first, _, _ := strings.Cut(filepath.ToSlash(name), "/")
	base := filepath.Base(name)
	return first == ".terraform" || base == lockName && name != lockName || first == "terraform.tfstate.d" ||
		strings.HasSuffix(base, ".tfstate") || strings.HasSuffix(base, ".tfstate.backup")
}

func writeFile(root *os.Root, name string, executable bool, r io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if executable {
		mode = 0o755
	}
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, r)
	return errors.Join(err, file.Close())
}
