package berth_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

func TestErrorsKeepTheirCodeAndHideOthers(t *testing.T) {
	inner := errors.New("password=hunter2 refused by db.internal")
	err := fmt.Errorf("creating workspace: %w", &berth.Error{Code: berth.Conflict, Message: "the name is taken", Err: inner})
	if !errors.Is(err, berth.Conflict) || errors.Is(err, berth.NotFound) || !errors.Is(err, inner) {
		t.Errorf("codes of %v", err)
	}
	if got := berth.ErrorMessage(err); got != "the name is taken" {
		t.Errorf("message = %q", got)
	}
	for _, unknown := range []error{inner, &berth.Error{Code: berth.Internal, Message: "secret"}} {
		if got := berth.ErrorMessage(unknown); strings.Contains(got, "hunter2") || strings.Contains(got, "secret") {
			t.Errorf("message of %v shows %q", unknown, got)
		}
		if berth.ErrorCode(unknown) != berth.Internal {
			t.Errorf("code of %v = %v", unknown, berth.ErrorCode(unknown))
		}
	}
}

func TestIDsAreUniqueSortableAndWellFormed(t *testing.T) {
	seen := map[berth.WorkspaceID]bool{}
	first := berth.NewID[berth.Workspace]()
	time.Sleep(2 * time.Millisecond)
	for range 1000 {
		id := berth.NewID[berth.Workspace]()
		if seen[id] || !berth.IsID(string(id)) || id <= first {
			t.Fatalf("id %s", id)
		}
		seen[id] = true
	}
	for _, s := range []string{"", "hello", strings.ToUpper(string(first)), string(first) + "0", strings.ReplaceAll(string(first), "-", "_")} {
		if berth.IsID(s) {
			t.Errorf("IsID(%q)", s)
		}
	}
}

func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"hello": true, "a": true, "A-1-b": true, strings.Repeat("x", 32): true,
		"": false, "-a": false, "a-": false, "a--b": false, "a_b": false, "é": false, "a b": false, "a.b": false, "../x": false,
		strings.Repeat("x", 33): false,
	} {
		err := berth.ValidateName("name", name)
		if (err == nil) != ok {
			t.Errorf("ValidateName(%q) = %v", name, err)
		}
		var e *berth.Error
		if err != nil && (!errors.As(err, &e) || e.Field != "name" || e.Code != berth.Invalid) {
			t.Errorf("ValidateName(%q) = %#v", name, err)
		}
	}
}

// The table of a build's life: what is stored, and what it is called.
func TestBuildStatus(t *testing.T) {
	at := time.Unix(1, 0)
	for _, c := range []struct {
		b    berth.Build
		want berth.BuildStatus
		ws   []berth.Status // as start, stop, delete
	}{
		{berth.Build{}, berth.BuildPending, []berth.Status{"pending", "pending", "pending"}},
		{berth.Build{StartedAt: at}, berth.BuildRunning, []berth.Status{"starting", "stopping", "deleting"}},
		{berth.Build{CanceledAt: at}, berth.BuildCanceling, []berth.Status{"canceling", "canceling", "canceling"}},
		{berth.Build{StartedAt: at, CanceledAt: at}, berth.BuildCanceling, []berth.Status{"canceling", "canceling", "canceling"}},
		{berth.Build{CanceledAt: at, CompletedAt: at}, berth.BuildCanceled, []berth.Status{"canceled", "canceled", "canceled"}},
		{berth.Build{CanceledAt: at, CompletedAt: at, Error: "x"}, berth.BuildFailed, []berth.Status{"failed", "failed", "failed"}},
		{berth.Build{StartedAt: at, CompletedAt: at}, berth.BuildSucceeded, []berth.Status{"running", "stopped", "deleted"}},
		{berth.Build{StartedAt: at, CompletedAt: at, Error: "x"}, berth.BuildFailed, []berth.Status{"failed", "failed", "failed"}},
	} {
		if got := c.b.Status(); got != c.want {
			t.Errorf("status of %+v = %s, want %s", c.b, got, c.want)
		}
		for i, tr := range []berth.Transition{berth.Start, berth.Stop, berth.Delete} {
			c.b.Transition = tr
			if got := berth.WorkspaceStatus(c.b); got != c.ws[i] {
				t.Errorf("workspace after %s %s = %s, want %s", c.want, tr, got, c.ws[i])
			}
		}
	}
}

func TestAgentStatus(t *testing.T) {
	now := time.Unix(10_000, 0)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	spec := berth.AgentSpec{ConnectionTimeout: 120}
	for _, c := range []struct {
		a    berth.Agent
		want berth.AgentStatus
	}{
		{berth.Agent{AgentSpec: spec, CreatedAt: ago(time.Minute)}, berth.AgentConnecting},
		{berth.Agent{AgentSpec: spec, CreatedAt: ago(3 * time.Minute)}, berth.AgentConnectTimeout},
		{berth.Agent{CreatedAt: ago(time.Hour)}, berth.AgentConnecting}, // 0 never times out
		{berth.Agent{ConnectedAt: ago(time.Minute), SeenAt: ago(5 * time.Second)}, berth.AgentConnected},
		{berth.Agent{ConnectedAt: ago(time.Minute), SeenAt: ago(31 * time.Second)}, berth.AgentDisconnected},
		{berth.Agent{ConnectedAt: ago(time.Minute), SeenAt: ago(time.Second), Disconnected: ago(time.Second)}, berth.AgentDisconnected},
	} {
		if got := c.a.Status(now); got != c.want {
			t.Errorf("status of %+v = %s, want %s", c.a, got, c.want)
		}
	}
}

func TestChangeDestroys(t *testing.T) {
	for actions, want := range map[string]bool{"create": false, "update": false, "no-op": false, "read": false,
		"delete": true, "delete,create": true, "create,delete": true, "forget": true} {
		c := berth.Change{Actions: strings.Split(actions, ",")}
		if c.Destroys() != want {
			t.Errorf("%s destroys = %v", actions, !want)
		}
	}
}
