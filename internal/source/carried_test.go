package source

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func put(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		mode := os.FileMode(0o644)
		if strings.HasSuffix(name, ".sh") {
			mode = 0o755
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
}

const oneModule = `{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"a","Source":"registry.terraform.io/x/a/y","Version":"1.0.0","Dir":".terraform/modules/a/inner"}]}`

func TestCarriedComesBackAsItWent(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, map[string]string{
		"main.tf": "not carried", LockFile: "lock", manifest: oneModule,
		ModulesDir + "/a/inner/main.tf": "module", ModulesDir + "/a/inner/run.sh": "script", ModulesDir + "/a/LICENSE": "beside",
		".terraform/providers/x": "not carried",
	})
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, ModulesDir, "a", "link")); err != nil {
		t.Fatal(err)
	}
	data, tooLarge, err := PackCarried(dir)
	again, _, _ := PackCarried(dir)
	if err != nil || tooLarge || !bytes.Equal(data, again) {
		t.Fatalf("%v %v, the same again: %v", err, tooLarge, bytes.Equal(data, again))
	}
	c, err := ReadCarried(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(c) != 5 || string(c[LockFile].Data) != "lock" || !c[ModulesDir+"/a/inner/run.sh"].Executable || c[ModulesDir+"/a/inner/main.tf"].Executable {
		t.Errorf("%v", c)
	}
	list, err := c.ForHost("registry.opentofu.org").Modules()
	if err != nil || len(list) != 2 || list[1].Source != "registry.opentofu.org/x/a/y" || !list[1].Remote() || list[0].Remote() {
		t.Errorf("%+v %v", list, err)
	}
}

func TestLargeRepositoriesAreReducedToTheirModules(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, map[string]string{manifest: oneModule, ModulesDir + "/a/inner/main.tf": "module",
		ModulesDir + "/a/film.mp4": strings.Repeat("x", MaxCarried)})
	data, tooLarge, err := PackCarried(dir)
	if err != nil || tooLarge {
		t.Fatal(err, tooLarge)
	}
	if c, err := ReadCarried(data); err != nil || len(c) != 2 {
		t.Errorf("%d files, %v", len(c), err)
	}
	put(t, dir, map[string]string{ModulesDir + "/a/inner/film.mp4": strings.Repeat("x", MaxCarried)})
	if data, tooLarge, err := PackCarried(dir); err != nil || !tooLarge || data != nil {
		t.Errorf("%d bytes, too large: %v, %v", len(data), tooLarge, err)
	}
}

func TestHostileCarriedArchives(t *testing.T) {
	t.Parallel()
	const inside = ModulesDir + "/a/main.tf"
	pack := func(headers ...tar.Header) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range headers {
			h.Size = int64(len(h.Uname)) // a short way to say the content
			text := h.Uname
			h.Uname = ""
			_ = w.WriteHeader(&h)
			_, _ = w.Write([]byte(text))
		}
		_ = w.Close()
		return b.Bytes()
	}
	for name, data := range map[string][]byte{
		"parent":          pack(tar.Header{Name: ModulesDir + "/../../main.tf"}),
		"parent, cleaned": pack(tar.Header{Name: "../main.tf"}),
		"absolute":        pack(tar.Header{Name: "/" + inside}),
		"template's file": pack(tar.Header{Name: "main.tf"}),
		"plugin":          pack(tar.Header{Name: ".terraform/providers/x/y"}),
		"symlink":         pack(tar.Header{Name: inside, Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}),
		"hardlink":        pack(tar.Header{Name: inside, Typeflag: tar.TypeLink, Linkname: LockFile}),
		"device":          pack(tar.Header{Name: inside, Typeflag: tar.TypeChar}),
		"directory":       pack(tar.Header{Name: ModulesDir + "/a", Typeflag: tar.TypeDir}),
		"twice":           pack(tar.Header{Name: inside}, tar.Header{Name: inside}),
		"file and folder": pack(tar.Header{Name: ModulesDir + "/a"}, tar.Header{Name: inside}),
		"module outside":  pack(tar.Header{Name: manifest, Uname: `{"Modules":[{"Key":"a","Source":"./a","Dir":"../../etc"}]}`}),
		"absolute module": pack(tar.Header{Name: manifest, Uname: `{"Modules":[{"Key":"a","Source":"./a","Dir":"/etc"}]}`}),
		"no list":         pack(tar.Header{Name: manifest, Uname: `[`}),
		"cut":             pack(tar.Header{Name: inside, Uname: "text"})[:514],
		"no tar":          bytes.Repeat([]byte("x"), 600),
	} {
		if c, err := ReadCarried(data); err == nil {
			t.Errorf("%s: taken: %v", name, c)
		}
	}
	if _, err := ReadCarried(pack(tar.Header{Name: inside, Uname: "x"}, tar.Header{Name: LockFile, Uname: "y"})); err != nil {
		t.Errorf("a good one: %v", err)
	}
}

func FuzzReadCarried(f *testing.F) {
	f.Add([]byte{})
	c := Carried{manifest: {Data: []byte(oneModule)}, LockFile: {Data: []byte("lock")}, ModulesDir + "/a/inner/main.tf": {Data: []byte("x")}}
	if data, err := c.pack(); err == nil {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ReadCarried(data)
		if err != nil {
			return
		}
		for name := range c {
			if !filepath.IsLocal(name) || name != LockFile && !strings.HasPrefix(name, ModulesDir+"/") {
				t.Errorf("%q got in", name)
			}
		}
	})
}
