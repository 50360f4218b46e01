package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/credentials"
	"github.com/berthdev/berth/internal/links"
)

// identities puts to every agent that is linked here what its workspace acts
// with: after the link, and again when that changed. It goes over the live link
// alone; nobody fetches it with a token.
type identities struct {
	parts *parts
	log   *slog.Logger

	mu   sync.Mutex
	ends map[berth.AgentID]context.CancelFunc
}

const (
	identityTime  = 20 * time.Second       // one push
	identityAgain = 2 * time.Minute        // looked at without a hint
	identityPause = 500 * time.Millisecond // between hints
	identityRetry = 100 * time.Millisecond // at first; the relay may not know the link yet
	identityMost  = 30 * time.Second       // between retries
)

func newIdentities(p *parts, log *slog.Logger) *identities {
	return &identities{parts: p, log: log, ends: map[berth.AgentID]context.CancelFunc{}}
}

// linked begins to serve an agent, until unlinked.
func (i *identities) linked(id links.Identity) {
	ctx, cancel := context.WithCancel(context.Background())
	i.mu.Lock()
	if before := i.ends[id.Agent]; before != nil {
		before()
	}
	i.ends[id.Agent] = cancel
	i.mu.Unlock()
	go i.serve(ctx, id)
}

func (i *identities) unlinked(id berth.AgentID) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if end := i.ends[id]; end != nil {
		end()
		delete(i.ends, id)
	}
}

// serve pushes what is new until ctx ends.
func (i *identities) serve(ctx context.Context, id links.Identity) {
	owner, workspace := i.hints(ctx, id)
	defer owner.end()
	defer workspace.end()
	var last [sha256.Size]byte
	retry := identityRetry
	for ctx.Err() == nil {
		wait := identityAgain
		sum, err := i.push(ctx, id.Agent, last)
		switch {
		case err == nil:
			last, retry = sum, identityRetry
		case errors.Is(err, errNoIdentity):
			return // an older agent, which does not know what to do with it
		case ctx.Err() != nil:
			return
		default:
			i.log.Debug("an agent did not get its identity yet", "agent", id.Agent, "error", err)
			wait, retry = retry, min(2*retry, identityMost)
		}
		if !pause(ctx, wait, owner.rung, workspace.rung) {
			return
		}
	}
}

// hint is a channel that is rung, and what ends that.
type hint struct {
	rung <-chan struct{}
	end  func()
}

// hints are rung when something of the workspace or of its owner changed.
func (i *identities) hints(ctx context.Context, id links.Identity) (owner, workspace hint) {
	owner.end = func() {}
	workspace.rung, workspace.end = i.parts.workspaces.Watch(id.Workspace)
	if now, err := i.parts.workspaces.Identity(ctx, id.Agent); err == nil {
		owner.rung, owner.end = i.parts.credentials.Watch(now.Owner.ID)
	}
	return owner, workspace
}

// pause waits for a hint, no shorter than identityPause after one.
func pause(ctx context.Context, wait time.Duration, a, b <-chan struct{}) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	case <-a:
	case <-b:
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(min(wait, identityPause)):
		return true
	}
}

// errNoIdentity says that the agent does not take identities.
var errNoIdentity = errors.New("the agent takes no identity")

// push puts the identity to the agent unless it has that already, and gives its
// digest.
func (i *identities) push(ctx context.Context, agent berth.AgentID, last [sha256.Size]byte) (sum [sha256.Size]byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, identityTime)
	defer cancel()
	id, err := i.parts.workspaces.Identity(ctx, agent)
	if err != nil {
		return sum, err
	}
	body, err := json.Marshal(viewIdentity(id))
	if err != nil {
		return sum, err
	}
	if sum = sha256.Sum256(body); sum == last {
		return sum, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://agent/identity", bytes.NewReader(body))
	if err != nil {
		return sum, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := i.parts.relay.Call(agent, req)
	if err != nil {
		return sum, err
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	switch {
	case res.StatusCode/100 == 2:
		return sum, nil
	case res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusMethodNotAllowed:
		return sum, errNoIdentity
	}
	return sum, fmt.Errorf("the agent answered %d to its identity", res.StatusCode)
}

func viewIdentity(id credentials.Identity) api.Identity {
	v := api.Identity{
		Username: id.Owner.Username, Name: id.Owner.Name, Email: id.Owner.Email, Token: id.Token, Dotfiles: id.Owner.Dotfiles,
		Start:  api.StartInfo{BuildID: string(id.Build.ID), Number: id.Build.Number, Reason: string(id.Build.Reason)},
		SSHKey: id.Private, SSHPub: id.Public,
	}
	for _, s := range id.Secrets {
		v.Secrets = append(v.Secrets, api.SecretValue{Name: s.Name, Env: s.Env, File: s.File, Value: s.Value})
	}
	for _, p := range id.External {
		v.External = append(v.External, api.External{ID: p.ID, Type: p.Type, Name: p.Name, Match: p.Match})
	}
	return v
}
