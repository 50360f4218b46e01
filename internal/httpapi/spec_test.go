package httpapi

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite api/openapi.json")

const specFile = "../../api/openapi.json"

// The checked-in document is what the server serves, so that a change of the
// contract is a diff that somebody reads.
func TestSpecIsCheckedIn(t *testing.T) {
	t.Parallel()
	now, err := Spec()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(specFile, now, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	golden, err := os.ReadFile(specFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(golden), string(now)); diff != "" {
		t.Errorf("the API changed (-checked in +now); if that is meant, run: go test ./internal/httpapi -run Spec -update\n%s", diff)
	}
}
