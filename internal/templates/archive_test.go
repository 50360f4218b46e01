package templates

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/berthdev/berth"
)

// pack makes a tar of entries as they are given.
func pack(t testing.TB, entries ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	packInto(t, &out, entries...)
	return out.Bytes()
}

// packZip is pack with gzip around it, without ever holding what is inside.
func packZip(t testing.TB, entries ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	packInto(t, z, entries...)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func packInto(t testing.TB, out io.Writer, entries ...tar.Header) {
	t.Helper()
	w := tar.NewWriter(out)
	for _, h := range entries {
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Mode == 0 {
			h.Mode = 0o600
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.CopyN(w, zeros{}, h.Size); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func zip(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var main = tar.Header{Name: "main.tf", Size: 10}

func TestArchivesThatAreRefused(t *testing.T) {
	t.Parallel()
	var many []tar.Header
	for i := range maxFiles + 1 {
		many = append(many, tar.Header{Name: fmt.Sprintf("f%d.tf", i)})
	}
	for _, c := range []struct {
		name string
		in   []byte
		says string
	}{
		{"nothing", nil, "empty"},
		{"not a tar", []byte(strings.Repeat("hello, world\n", 100)), "not a tar"},
		{"a cut gzip", zip(t, pack(t, main))[:40], "cut off"},
		{"a cut tar", pack(t, main, tar.Header{Name: "b", Size: 5000})[:2000], "cut off"},
		{"an empty tar", pack(t), "empty"},
		{"no module", pack(t, tar.Header{Name: "README.md", Size: 3}), "no .tf file"},
		{"a wrapped module", pack(t, tar.Header{Name: "tpl/main.tf", Size: 3}), "contents of the folder"},
		{"climbing", pack(t, main, tar.Header{Name: "../evil.tf", Size: 1}), `"../evil.tf" leads out`},
		{"climbing inside", pack(t, main, tar.Header{Name: "a/../../evil.tf", Size: 1}), "leads out"},
		{"a climbing folder", pack(t, main, tar.Header{Name: "a/../..", Typeflag: tar.TypeDir}), "leads out"},
		{"absolute", pack(t, main, tar.Header{Name: "/etc/passwd", Size: 1}), "absolute"},
		{"a drive", pack(t, main, tar.Header{Name: "C:evil.tf", Size: 1}), "absolute"},
		{"backslashes", pack(t, main, tar.Header{Name: `..\evil.tf`, Size: 1}), "backslashes"},
		{"a symbolic link", pack(t, main, tar.Header{Name: "x", Typeflag: tar.TypeSymlink, Linkname: "/etc/shadow"}), `"x" is a link to "/etc/shadow"`},
		{"a hard link", pack(t, main, tar.Header{Name: "x", Typeflag: tar.TypeLink, Linkname: "main.tf"}), "is a link"},
		{"a device", pack(t, main, tar.Header{Name: "x", Typeflag: tar.TypeChar}), "device"},
		{"a pipe", pack(t, main, tar.Header{Name: "x", Typeflag: tar.TypeFifo}), "special file"},
		{"twice", pack(t, main, main), `"main.tf" is in the archive twice`},
		{"twice by dots", pack(t, main, tar.Header{Name: "./a/.././main.tf", Size: 1}), "leads out"},
		{"twice in two spellings", pack(t, main, tar.Header{Name: "e\u0301.tf"}, tar.Header{Name: "\u00e9.tf"}), "twice"},
		{"file and folder", pack(t, main, tar.Header{Name: "a", Size: 1}, tar.Header{Name: "a/b", Size: 1}), "a file and a folder"},
		{"deep", pack(t, main, tar.Header{Name: strings.Repeat("d/", 25) + "x", Size: 1}), "folders deep"},
		{"long", pack(t, main, tar.Header{Name: strings.Repeat("n", 300), Size: 1}), "longer than"},
		{"many", pack(t, many...), "more than 2000 files"},
	} {
		_, _, _, err := normalise(bytes.NewReader(c.in))
		var e *berth.Error
		if !errors.As(err, &e) || e.Code != berth.Invalid || e.Field != "archive" || !strings.Contains(e.Message, c.says) {
			t.Errorf("%s: got %v, want a refusal that says %q", c.name, err, c.says)
		}
	}
}

func TestLargeArchives(t *testing.T) {
	t.Parallel()
	for name, in := range map[string][]byte{
		"one large file":   packZip(t, main, tar.Header{Name: "zeros.tf", Size: 60 << 20}),
		"many large files": packZip(t, main, tar.Header{Name: "a", Size: 30 << 20}, tar.Header{Name: "b", Size: 30 << 20}),
		"large uploaded":   pack(t, tar.Header{Name: "a", Size: 12 << 20}),
		"dropped files":    packZip(t, main, tar.Header{Name: ".terraform/x", Size: 90 << 20}),
	} {
		if _, _, _, err := normalise(bytes.NewReader(in)); !errors.Is(err, berth.Limit) {
			t.Errorf("%s: %v, want limit", name, err)
		}
	}
}

// TestBombTakesNoMemory measures one bomb alone, so it is not parallel.
func TestBombTakesNoMemory(t *testing.T) {
	bomb := packZip(t, main, tar.Header{Name: "zeros.tf", Size: 200 << 20})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	_, _, _, err := normalise(bytes.NewReader(bomb))
	runtime.ReadMemStats(&after)
	if !errors.Is(err, berth.Limit) {
		t.Fatalf("got %v, want limit", err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
		t.Errorf("refusing a bomb of %d kB took %d MB", len(bomb)>>10, took>>20)
	}
}

func TestNormalForm(t *testing.T) {
	t.Parallel()
	a, hash, n, err := normalise(bytes.NewReader(zip(t, pack(t,
		tar.Header{Name: "./", Typeflag: tar.TypeDir}, tar.Header{Name: "./b.sh", Mode: 0o755, Size: 3, Uid: 1000, Uname: "ada"},
		tar.Header{Name: "./main.tf", Size: 10}, tar.Header{Name: "m/.terraform.lock.hcl", Size: 5}, tar.Header{Name: "terraform.tfstate", Size: 5},
		tar.Header{Name: "x.tfstate.backup", Size: 5}, tar.Header{Name: "m/.terraform/plugin", Size: 5}, tar.Header{Name: "m/x.tf", Size: 1}))))
	if err != nil || n != 3 {
		t.Fatalf("%d files, %v", n, err)
	}
	b, again, _, err := normalise(bytes.NewReader(pack(t, tar.Header{Name: "m", Typeflag: tar.TypeDir}, tar.Header{Name: "m/x.tf", Size: 1}, main,
		tar.Header{Name: "b.sh", Mode: 0o700, Size: 3})))
	if err != nil || hash != again || !bytes.Equal(a, b) {
		t.Errorf("the same files have two forms: %s, %s, %v", hash, again, err)
	}
	if _, third, _, err := normalise(bytes.NewReader(a)); err != nil || third != hash {
		t.Errorf("the normal form of the normal form is another one: %v", err)
	}
	r := tar.NewReader(bytes.NewReader(a))
	for _, want := range []string{"b.sh", "m/x.tf", "main.tf"} {
		h, err := r.Next()
		if err != nil || h.Name != want || h.Uid != 0 || h.Uname != "" || h.ModTime.Unix() != 0 {
			t.Fatalf("entry %+v, %v, want %s", h, err, want)
		}
	}
}

// TestNothingClimbs: whatever is uploaded, each path in the normal form stays
// inside, and each refusal is one of ours.
func TestNothingClimbs(t *testing.T) {
	t.Parallel()
	part := rapid.SampledFrom([]string{"..", ".", "", "a", "main.tf", ".terraform", "b\\c", "é", "\u202e", "~", "C:"})
	rapid.Check(t, func(rt *rapid.T) {
		var hs []tar.Header
		for range rapid.IntRange(0, 6).Draw(rt, "entries") {
			h := tar.Header{
				Name:     strings.Join(rapid.SliceOfN(part, 1, 5).Draw(rt, "parts"), "/"),
				Typeflag: rapid.SampledFrom([]byte{tar.TypeReg, tar.TypeDir, tar.TypeReg}).Draw(rt, "type"),
			}
			if strings.HasSuffix(h.Name, "/") { // else the writer refuses it
				h.Typeflag = tar.TypeDir
			}
			hs = append(hs, h)
		}
		data, _, _, err := normalise(bytes.NewReader(pack(t, hs...)))
		if err != nil {
			if berth.ErrorCode(err) != berth.Invalid {
				rt.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		for r := tar.NewReader(bytes.NewReader(data)); ; {
			h, err := r.Next()
			if err == io.EOF {
				return
			}
			if err != nil || h.Typeflag != tar.TypeReg || strings.HasPrefix(h.Name, "/") || strings.Contains("/"+h.Name+"/", "/../") {
				rt.Fatalf("%+v, %v", h, err)
			}
		}
	})
}
