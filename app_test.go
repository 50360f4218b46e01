package berth_test

import (
	"testing"

	"github.com/berthdev/berth"
)

func TestShareWithin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ level, maximum, want berth.Share }{
		{"public", "public", "public"}, {"public", "authenticated", "authenticated"}, {"public", "owner", "owner"},
		{"organization", "authenticated", "organization"}, {"authenticated", "organization", "organization"},
		{"", "public", "owner"}, {"everybody", "public", "owner"}, {"public", "", "owner"}, {"public", "x", "owner"},
	} {
		if got := c.level.Within(c.maximum); got != c.want {
			t.Errorf("%q within %q is %q, want %q", c.level, c.maximum, got, c.want)
		}
	}
}
