package workspaces

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

const (
	maxChecks = 20
	// troubleEvery is how often the same trouble is written down again.
	troubleEvery = time.Minute
)

// AgentTrouble keeps why an agent cannot link, as it found out, until it links.
func (s *Service) AgentTrouble(ctx context.Context, who AgentIdentity, checks []berth.Check) error {
	if len(checks) == 0 {
		return berth.InvalidField("checks", "say what was checked")
	}
	checks = slices.Clone(checks[:min(len(checks), maxChecks)])
	for i, c := range checks {
		checks[i] = berth.Check{Kind: text(c.Kind, 20), OK: c.OK, Detail: text(c.Detail, 500), Fix: text(c.Fix, 500)}
	}
	if old := who.Agent.Trouble; old != nil && slices.Equal(old.Checks, checks) && time.Since(old.At) < troubleEvery {
		return nil
	}
	return s.report(ctx, who.Workspace.ID, func(tx *store.Tx) error {
		return tx.TroubleAgent(who.Agent.ID, berth.Trouble{At: tx.Now, Checks: checks})
	})
}

// text makes what a workspace says fit for a sentence: one line of at most n
// bytes, without control characters.
func text(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return strings.TrimSpace(s)
}
