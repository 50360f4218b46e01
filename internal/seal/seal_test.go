package seal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/berthdev/berth/internal/seal"
)

func load(t *testing.T, dir string) *seal.Keys {
	t.Helper()
	k, err := seal.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestOpensWhatItSealed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	k := load(t, dir)
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		aad := rapid.SliceOf(rapid.Byte()).Draw(t, "aad")
		sealed, err := k.Seal(plain, aad)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := k.Open(sealed, aad); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("got %x, %v", got, err)
		}
	})
}

// A value that was changed in any byte, cut anywhere, or moved does not open.
func TestRefusesWhatItDidNotSeal(t *testing.T) {
	t.Parallel()
	k := load(t, t.TempDir())
	sealed, err := k.Seal([]byte("state"), []byte("workspace 1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Open(sealed, []byte("workspace 2")); err == nil {
		t.Error("opened in another place")
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := k.Open(changed, []byte("workspace 1")); err == nil {
			t.Errorf("opened with byte %d changed", i)
		}
		if _, err := k.Open(sealed[:i], []byte("workspace 1")); err == nil {
			t.Errorf("opened when cut to %d bytes", i)
		}
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k := load(t, dir)
	old, _ := k.Seal([]byte("one"), nil)
	for range 3 {
		if err := k.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
	young, _ := k.Seal([]byte("two"), nil)
	again := load(t, dir)
	for plain, sealed := range map[string][]byte{"one": old, "two": young} {
		if got, err := again.Open(sealed, nil); err != nil || string(got) != plain {
			t.Errorf("%q: got %q, %v", plain, got, err)
		}
	}
	younger, _ := again.Seal(nil, nil)
	if !bytes.Equal(younger[:9], young[:9]) {
		t.Error("after loading, another key than the newest seals")
	}
	if bytes.Equal(old[:9], young[:9]) {
		t.Error("rotation did not change the key")
	}
}

func TestKeysArePrivateAndNeeded(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	sealed, _ := load(t, dir).Seal([]byte("x"), nil)
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("the directory is %v", info.Mode())
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.key"))
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	if info, _ := os.Stat(files[0]); info.Mode().Perm() != 0o600 {
		t.Errorf("the key is %v", info.Mode())
	}
	_, err := load(t, t.TempDir()).Open(sealed, nil)
	if err == nil || !strings.Contains(err.Error(), "put the key file back") {
		t.Errorf("without its key: %v", err)
	}
	if err := os.WriteFile(files[0], []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Load(dir); err == nil || !strings.Contains(err.Error(), "holds no key") {
		t.Errorf("a damaged key: %v", err)
	}
}

// Keys are used while this and other processes rotate them: everything opens
// everywhere, and the newest key soon seals.
func TestRotationWhileInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	replicas := []*seal.Keys{load(t, dir), load(t, dir)}
	sealed := make(chan []byte, 1000)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 100 {
				s, err := replicas[i%2].Seal([]byte("x"), nil)
				if err != nil {
					t.Error(err)
				}
				sealed <- s
			}
		})
	}
	wg.Go(func() {
		for range 5 {
			if err := replicas[0].Rotate(); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	s, err := replicas[0].Seal([]byte("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	sealed <- s
	close(sealed)
	for s := range sealed {
		for i, k := range replicas {
			if _, err := k.Open(s, nil); err != nil {
				t.Errorf("replica %d: %v", i, err)
			}
		}
	}
	time.Sleep(1100 * time.Millisecond)
	again, _ := replicas[1].Seal([]byte("x"), nil)
	if list := replicas[1].List(); !bytes.HasPrefix(again, list[len(list)-1].Head) || len(list) != 6 {
		t.Errorf("another replica's key does not seal: %d keys", len(list))
	}
}
