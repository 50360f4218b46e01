package templates

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// Limits of an archive. Terraform modules are text: what is larger holds
// something that does not belong there.
const (
	maxPacked   = 10 << 20 // bytes as uploaded
	maxUnpacked = 40 << 20 // bytes of all files
	maxFiles    = 2_000
	maxDepth    = 20
	maxPath     = 255 // bytes of a path
)

// stream bounds what is decompressed at all: headers, padding and files that
// are dropped count too.
const stream = maxUnpacked + 2*maxFiles*4*512

// file is one file of an archive.
type file struct {
	data       []byte
	executable bool
}

// refuse makes the error of a bad archive.
func refuse(format string, args ...any) error {
	return berth.InvalidField("archive", format, args...)
}

// normalise reads a tar, plain or gzip, and gives its normal form: the files
// alone, sorted by path, without times and owners. The same files give the same
// bytes. Everything that could leave the directory into which it is unpacked
// later is refused.
func normalise(r io.Reader) (data []byte, hash string, count int, err error) {
	files, err := read(r)
	if err != nil {
		return nil, "", 0, err
	}
	if err := complete(files); err != nil {
		return nil, "", 0, err
	}
	data, err = write(files)
	if err != nil {
		return nil, "", 0, err
	}
	sum := sha256.Sum256(data)
	return data, hex.EncodeToString(sum[:]), len(files), nil
}

func read(r io.Reader) (map[string]file, error) {
	packed := &bounded{r: r, left: maxPacked, err: tooLarge("as uploaded", maxPacked)}
	in := io.Reader(bufio.NewReader(packed))
	if head, err := in.(*bufio.Reader).Peek(2); err == nil && head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, broken(err)
		}
		in = &bounded{r: z, left: stream, err: tooLarge("unpacked", maxUnpacked)}
	}
	files, room := map[string]file{}, int64(maxUnpacked)
	for t := tar.NewReader(in); ; {
		h, err := t.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, broken(err)
		}
		name, err := place(h)
		if err != nil {
			return nil, err
		}
		if name == "" || dropped(name) {
			continue
		}
		if _, twice := files[name]; twice {
			return nil, refuse("%q is in the archive twice: pack it again with each file once", name)
		}
		if len(files) == maxFiles {
			return nil, refuse("the archive has more than %d files: pack the template's module only", maxFiles)
		}
		if room -= h.Size; room < 0 { // before anything of it is read
			return nil, tooLarge("unpacked", maxUnpacked)
		}
		data, err := io.ReadAll(io.LimitReader(t, h.Size))
		if err != nil {
			return nil, broken(err)
		}
		files[name] = file{data, h.Mode&0o111 != 0}
	}
}

// place is where an entry goes: a clean relative path, "" for what is no file.
func place(h *tar.Header) (string, error) {
	switch h.Typeflag {
	case tar.TypeXGlobalHeader:
		return "", nil
	case tar.TypeReg, tar.TypeDir, tar.TypeGNUSparse:
	case tar.TypeSymlink, tar.TypeLink:
		return "", refuse("%q is a link to %q: put the file itself into the template", h.Name, h.Linkname)
	default:
		return "", refuse("%q is a device or another special file: only files and folders belong into a template", h.Name)
	}
	name := norm.NFC.String(h.Name)
	switch {
	case !utf8.ValidString(h.Name) || strings.ContainsAny(h.Name, "\x00\\"):
		return "", refuse("%q is not a file name that works everywhere: rename it without backslashes and in UTF-8", h.Name)
	case path.IsAbs(name) || len(name) > 1 && name[1] == ':':
		return "", refuse("%q is an absolute path: pack the template from inside of its folder", h.Name)
	case slices.Contains(strings.Split(name, "/"), ".."):
		return "", refuse("%q leads out of the template with ..: pack the template from inside of its folder", h.Name)
	}
	name = path.Clean(name)
	switch {
	case len(name) > maxPath:
		return "", refuse("the path %q… is longer than %d bytes: shorten it", name[:60], maxPath)
	case strings.Count(name, "/") >= maxDepth:
		return "", refuse("%q lies more than %d folders deep: move it up", name, maxDepth)
	case h.Typeflag == tar.TypeDir || name == ".":
		return "", nil
	}
	return name, nil
}

// dropped tells whether a file is left out: what Terraform made on the pusher's
// machine says nothing about the template, and a state may hold secrets. The
// template's own lock file says which versions of plugins it was tried with.
func dropped(name string) bool {
	base := path.Base(name)
	return base == source.LockFile && name != source.LockFile || strings.HasSuffix(base, ".tfstate") || strings.Contains(base, ".tfstate.") ||
		slices.Contains(strings.Split(path.Dir(name), "/"), ".terraform")
}

// complete tells whether the files are a Terraform module that can be unpacked.
func complete(files map[string]file) error {
	if len(files) == 0 {
		return refuse("the archive is empty: pack the folder that has the template's .tf files")
	}
	module, deeper := false, ""
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, both := files[dir]; both {
				return refuse("%q is a file and a folder at once: rename one of them", dir)
			}
		}
		if !strings.HasSuffix(name, ".tf") && !strings.HasSuffix(name, ".tf.json") {
			continue
		}
		if strings.Contains(name, "/") {
			deeper = name
		} else {
			module = true
		}
	}
	switch {
	case module:
		return nil
	case deeper != "":
		return refuse("there is no .tf file at the top of the archive, only deeper (%s): pack the contents of the folder, not the folder", deeper)
	default:
		return refuse("there is no .tf file in the archive: a template is a Terraform module, so give the folder with its main.tf")
	}
}

func write(files map[string]file) ([]byte, error) {
	var out bytes.Buffer
	t := tar.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f := files[name]
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(f.data)), Mode: 0o644, ModTime: time.Unix(0, 0)}
		if f.executable {
			h.Mode = 0o755
		}
		if err := t.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("packing %s: %w", name, err)
		}
		if _, err := t.Write(f.data); err != nil {
			return nil, fmt.Errorf("packing %s: %w", name, err)
		}
	}
	if err := t.Close(); err != nil {
		return nil, fmt.Errorf("packing: %w", err)
	}
	return out.Bytes(), nil
}

// bounded reads at most left bytes, then gives err.
type bounded struct {
	r    io.Reader
	left int64
	err  error
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, b.err
	}
	// One byte more is allowed, to tell an end from too much.
	n, err := b.r.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return n, b.err
	}
	return n, err
}

func tooLarge(how string, limit int) error {
	return &berth.Error{Code: berth.Limit, Field: "archive",
		Message: fmt.Sprintf("the archive is larger than %d MB %s: leave out what the template does not need, such as .terraform, .git and binaries", limit>>20, how)}
}

// broken is the error of bytes that are no archive. Our own refusals stay.
func broken(err error) error {
	var own *berth.Error
	if errors.As(err, &own) {
		return own
	}
	e := berth.InvalidField("archive", "it is not a tar archive, or it was cut off: send a tar, plain or with gzip")
	e.Err = err
	return e
}
