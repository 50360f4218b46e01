package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

func TestHoldArguments(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 17, 0, 0, 0, time.FixedZone("", 3600))
	for _, c := range []struct {
		given, until string
		name         string
		seconds      int64
		end          string // RFC 3339
		wrong        string // part of the error
	}{
		{given: "2h", seconds: 7200},
		{given: "web 90m", name: "web", seconds: 5400},
		{given: "web", until: "18:00", name: "web", end: "2026-03-01T18:00:00+01:00"},
		{until: "16:59", end: "2026-03-02T16:59:00+01:00"},
		{until: "2026-03-05 09:30", end: "2026-03-05T09:30:00+01:00"},
		{until: "2026-03-01T20:00:00Z", end: "2026-03-01T20:00:00Z"},
		{given: "", wrong: "say how long"},
		{given: "web", wrong: `"web" is not a length of time`},
		{given: "0s", wrong: "not a length"},
		{given: "-2h", wrong: "not a length"},
		{given: "web 2h", until: "18:00", wrong: "not both"},
		{until: "soon", wrong: `--until "soon" is not a time`},
	} {
		name, in, err := holdArgs(strings.Fields(c.given), c.until, now)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%q --until %q: %v", c.given, c.until, err)
			}
			continue
		}
		end := ""
		if in.Until != nil {
			end = in.Until.Format(time.RFC3339)
		}
		if err != nil || name != c.name || in.Seconds != c.seconds || end != c.end {
			t.Errorf("%q --until %q: %q %+v %s %v", c.given, c.until, name, in, end, err)
		}
	}
}

func TestThisWorkspace(t *testing.T) {
	t.Parallel()
	for want, env := range map[string]map[string]string{
		"":        {"CODER_WORKSPACE_NAME": "web"},
		"ana/web": {"CODER_WORKSPACE_NAME": "web", "CODER_WORKSPACE_OWNER_NAME": "ana"},
		"bo/db":   {"BERTH_WORKSPACE_NAME": "db", "BERTH_WORKSPACE_OWNER_NAME": "bo", "CODER_WORKSPACE_NAME": "web", "CODER_WORKSPACE_OWNER_NAME": "ana"},
	} {
		if got := thisWorkspace(func(name string) string { return env[name] }); got != want {
			t.Errorf("%v: %q, want %q", env, got, want)
		}
	}
}

func TestWhatKeepsAWorkspaceAwake(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	seen := func(kind berth.EvidenceKind, detail string, ago time.Duration) berth.Evidence {
		return berth.Evidence{Kind: kind, Detail: detail, Since: now.Add(-ago - time.Hour), At: now.Add(-ago)}
	}
	hold := api.Hold{Reason: "training", By: "ana", Until: now.Add(20 * time.Hour)}
	of := func(awake, idleCounts bool, holds []api.Hold, all ...berth.Evidence) api.Activity {
		a := api.Activity{Awake: awake, Evidence: all, Holds: holds, IdleCounts: idleCounts}
		for _, e := range all {
			if e.Kind.Counts(idleCounts) && a.Newest == nil {
				a.Newest = &e
			}
		}
		return a
	}
	for want, a := range map[string]api.Activity{
		"kept awake by an SSH session since 10:59":                                    of(true, false, nil, seen(berth.EvidenceSSH, "", time.Minute)),
		"kept awake by Visual Studio Code since 10:59":                                of(true, false, nil, seen(berth.EvidenceIDE, "vscode", time.Minute)),
		"kept awake by a terminal session since 10:59; held until 2 Mar 08:00 by ana": of(true, false, []api.Hold{{Reason: "held by ana", By: "ana", Until: hold.Until}}, seen(berth.EvidenceTerminal, "", time.Minute)),
		"held until 2 Mar 08:00 by ana: training":                                     of(true, false, []api.Hold{hold}, seen(berth.EvidenceSSH, "", time.Hour)),
		"": of(false, false, nil, seen(berth.EvidenceSSH, "", time.Hour)),
		"not in use: a connection is open and idle, which is no activity": of(false, false, nil, seen(berth.EvidenceConnection, "1 open", time.Minute)),
		"kept awake by an open connection (1 open) since 10:59":           of(true, true, nil, seen(berth.EvidenceConnection, "1 open", time.Minute)),
		"kept awake by work of the processor (42%) since 10:59":           of(true, false, nil, seen(berth.EvidenceProcessor, "42%", time.Minute)),
		"kept awake by an app (code-server) since 10:59":                  of(true, false, nil, seen(berth.EvidenceApp, "code-server", time.Minute)),
	} {
		if got := awake(a, now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
