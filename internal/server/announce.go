package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/lifecycle"
	"github.com/berthdev/berth/internal/store"
)

// announceTime is how long agents may take to show a line.
const announceTime = 5 * time.Second

// remind shows those who are in a workspace that it will be stopped. It does not
// wait for that, and is not repeated: the notice in the inbox is what is sure to
// arrive.
func (p *parts) remind(log *slog.Logger) func(context.Context, berth.WorkspaceID, lifecycle.Step) {
	return func(ctx context.Context, id berth.WorkspaceID, _ lifecycle.Step) {
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), announceTime)
			defer cancel()
			line, err := p.schedules.Reminder(ctx, id)
			if err == nil && line != "" {
				err = p.announce(ctx, id, line)
			}
			if err != nil {
				log.Info("not everybody in a workspace was shown that it will be stopped", "workspace", id, "error", err)
			}
		}()
	}
}

// announce has the agents of a workspace show a line in every open shell. Nobody
// depends on it: an agent that is away, or older than this server, shows nothing.
func (p *parts) announce(ctx context.Context, id berth.WorkspaceID, line string) error {
	var agents []berth.Agent
	err := p.db.Read(ctx, func(q *store.Query) (err error) {
		agents, err = q.Agents(id)
		return err
	})
	if err != nil {
		return err
	}
	problems := make([]error, len(agents))
	var telling sync.WaitGroup
	for i, a := range agents {
		telling.Go(func() { problems[i] = p.announceBy(ctx, a.ID, line) })
	}
	telling.Wait()
	return errors.Join(problems...)
}

func (p *parts) announceBy(ctx context.Context, agent berth.AgentID, line string) error {
	body, err := json.Marshal(api.Announcement{Text: line})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://agent/announcement", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := p.relay.Call(agent, req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	if res.StatusCode/100 != 2 {
		return berth.Errorf(berth.Unavailable, "the agent answered %s: it is older than this server, until the workspace's next start", res.Status)
	}
	return nil
}
