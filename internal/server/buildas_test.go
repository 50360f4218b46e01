package server

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/berthdev/berth"
)

func TestBuildUser(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, nil))
	if _, err := buildAs("no-such-user-here", log); !errors.Is(err, berth.Invalid) || !strings.Contains(err.Error(), "--build-user") {
		t.Errorf("an unknown user: %v", err)
	}
	if os.Geteuid() != 0 {
		if as, err := buildAs("", log); as != nil || err != nil {
			t.Errorf("not root: %+v, %v", as, err)
		}
		return
	}
	as, err := buildAs("", log)
	if err != nil || as == nil || as.UID == 0 {
		t.Fatalf("root says nothing: %+v, %v", as, err)
	}
	if as, err := buildAs("root", log); as != nil || err != nil || !strings.Contains(text.String(), "root") {
		t.Errorf("root is asked for: %+v, %v, %s", as, err, text.String())
	}
}
