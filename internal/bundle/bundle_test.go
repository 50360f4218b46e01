package bundle

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/fstest"
)

func TestPackedFileUnpacks(t *testing.T) {
	t.Parallel()
	want := bytes.Repeat([]byte("machine code "), 10_000)
	b := &Bundle{packed: fstest.MapFS{"berth-plugin.gz": {Data: packed(t, want)}}}
	f, err := b.Find(Plugin)
	if err != nil {
		t.Fatal(err)
	}
	if f.Size != int64(len(want)) || f.Tag == "" {
		t.Errorf("size %d, tag %q", f.Size, f.Tag)
	}
	if got := content(t, f); !bytes.Equal(got, want) {
		t.Error("the content changed on the way")
	}
	if r, ok := f.Gzip(); !ok {
		t.Error("no packed form")
	} else if z, err := gzip.NewReader(r); err != nil {
		t.Error(err)
	} else if got, _ := io.ReadAll(z); !bytes.Equal(got, want) {
		t.Error("the packed form holds something else")
	}
}

func TestDirectoryStandsInForAnEmptyBundle(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"berth-agent", "berth-plugin"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b := &Bundle{packed: fstest.MapFS{}, dirs: []string{"", t.TempDir(), dir}}
	f, err := b.Find(Plugin)
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, f); string(got) != "berth-plugin" {
		t.Errorf("found %q", got)
	}
	if _, ok := f.Gzip(); ok {
		t.Error("an unpacked file claims to be packed")
	}
	here := "berth-agent-" + runtime.GOOS + "-" + runtime.GOARCH
	if _, err := b.Find(here); err != nil {
		t.Errorf("the agent beside the server is not taken for %s: %v", here, err)
	}
	if _, err := b.Find("berth-agent-linux-riscv64"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("another platform: %v", err)
	}
}

func TestBrokenPackedFileIsRefused(t *testing.T) {
	t.Parallel()
	b := &Bundle{packed: fstest.MapFS{"berth-plugin.gz": {Data: []byte("short")}}}
	if _, err := b.Find(Plugin); err == nil {
		t.Error("taken as a gzip file")
	}
}

func packed(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func content(t *testing.T, f *File) []byte {
	t.Helper()
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
