package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBanner(t *testing.T) {
	t.Parallel()
	file, long := filepath.Join(t.TempDir(), "file"), filepath.Join(t.TempDir(), "long")
	os.WriteFile(file, []byte("of a file\n"), 0o600)
	os.WriteFile(long, make([]byte, maxBanner+1), 0o600)
	for given, want := range map[string]string{"": "", "text": "text", "@" + file: "of a file\n"} {
		if got, err := (Options{SSHBanner: given}).banner(); got != want || err != nil {
			t.Errorf("%s: %q %v", given, got, err)
		}
	}
	for _, bad := range []string{"@/no/such/file", "@" + long, "@" + t.TempDir(), strings.Repeat("x", maxBanner+1)} {
		if err := (Options{Data: "d", SSHBanner: bad}).check(); err == nil || !strings.Contains(err.Error(), "--ssh-banner") {
			t.Errorf("%.20s: %v", bad, err)
		}
	}
}
