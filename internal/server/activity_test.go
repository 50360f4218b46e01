package server

import (
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/activity"
	"github.com/berthdev/berth/internal/links"
)

// Of what the relay sees, ports that people forward are evidence, and only when
// they are used.
func TestForwardedPortsAreEvidence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		e    links.Evidence
		want string // detail of the evidence; empty: none
	}{
		"opened":              {links.Evidence{Kind: "tcp:8080", Person: true, First: true, Typed: 3}, "port 8080"},
		"used":                {links.Evidence{Kind: "udp:db.internal:53", Person: true, Typed: 1500, Shown: 1500}, "port 53"},
		"a trickle":           {links.Evidence{Kind: "tcp:8080", Person: true, Typed: 900, Shown: 900}, ""},
		"of an app":           {links.Evidence{Kind: "tcp:8080", First: true, Typed: 1 << 20}, ""},
		"the agent sees this": {links.Evidence{Kind: "ssh", Person: true, First: true, Typed: 1 << 20}, ""},
	} {
		book := activity.New(nil, activity.Options{})
		c.e.Workspace = "w"
		forwarded{book}.Report(c.e)
		got := ""
		if seen := book.Recent("w"); len(seen) == 1 && seen[0].Kind == berth.EvidenceForward {
			got = seen[0].Detail
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
