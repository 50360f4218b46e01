package server

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/loop"
	"github.com/berthdev/berth/internal/store"
)

// The loops that are woken when somebody is shut out.
const (
	linksLoop     = "links"
	lifecycleLoop = "lifecycle"
	noticesLoop   = "notices"
)

// woken says which loops are woken by which topic, here or by another replica.
var woken = map[string][]string{
	store.ShutOutTopic:   {linksLoop, lifecycleLoop},
	store.LifecycleTopic: {lifecycleLoop},
	store.NoticesTopic:   {noticesLoop},
}

// wakeLoops wakes loops by their topics until ctx ends.
func (p *parts) wakeLoops(ctx context.Context) {
	var all sync.WaitGroup
	for topic, names := range woken {
		all.Go(func() { p.wakeOn(ctx, topic, names) })
	}
	all.Wait()
}

func (p *parts) wakeOn(ctx context.Context, topic string, names []string) {
	rings, stop := p.db.Waits(topic)
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-rings:
		}
		for _, l := range p.loops {
			if slices.Contains(names, l.Name) {
				l.Wake()
			}
		}
	}
}

// allLoops is everything that a server does by itself.
func (p *parts) allLoops() []*loop.Loop {
	return []*loop.Loop{
		// Tells that this replica is up, and keeps time in which no server was
		// from counting against the leases of runners.
		{Name: "replica", Every: beat, Run: func(ctx context.Context) (loop.Status, error) {
			did, err := p.queue.Downtime(ctx, p.replica)
			return loop.Status{Did: did}, err
		}},
		// Ends the links of agents that may not have one any more: suspended
		// owners, rotated keys, computers that outlived their stop.
		{Name: linksLoop, Every: 15 * time.Second, Run: func(ctx context.Context) (loop.Status, error) {
			n, err := p.endLinks(ctx)
			return counted(n, "ended %d links of agents that may not be linked any more"), err
		}},
		{Name: "dormant users", Every: time.Hour, Run: func(ctx context.Context) (loop.Status, error) {
			n, err := p.accounts.MarkDormant(ctx)
			return counted(n, "marked %d users as dormant who were not seen for long"), err
		}},
		{Name: "expired tokens", Every: 10 * time.Minute, Run: func(ctx context.Context) (loop.Status, error) {
			n, err := p.accounts.CleanTokens(ctx)
			return counted(n, "removed %d expired tokens"), err
		}},
		{Name: "unfinished sign-ins", Every: 10 * time.Minute, Run: func(ctx context.Context) (loop.Status, error) {
			n, err := p.credentials.CleanAttempts(ctx)
			return counted(n, "forgot %d sign-ins to external services"), err
		}},
		// Asks identity providers about who signed in by them, and signs out whom
		// they do not know any more.
		{Name: "identities", Every: time.Minute, Run: func(ctx context.Context) (loop.Status, error) {
			n, err := p.signIn.Refresh(ctx)
			return counted(n, "signed %d people out whom their identity providers do not let in any more"), err
		}},
		{Name: "unfinished logins", Every: 10 * time.Minute, Run: func(ctx context.Context) (loop.Status, error) {
			n, err := p.signIn.CleanUnfinished(ctx)
			return counted(n, "forgot %d sign-ins that nobody finished"), err
		}},
		// Says nothing of what it did: it does so all day.
		{Name: "activity", Every: time.Minute, Run: func(ctx context.Context) (loop.Status, error) {
			_, err := p.activity.Write(ctx)
			return loop.Status{}, err
		}},
		// Also woken when what the rules rest on changed. Often, since a start at
		// nine is late by up to that much, and a look at nothing due costs one read
		// of an index.
		{Name: lifecycleLoop, Every: 10 * time.Second, Run: func(ctx context.Context) (loop.Status, error) {
			n, err := p.schedules.Tick(ctx, time.Now())
			return counted(n, "did %d things that the rules of workspaces wanted"), err
		}},
		{Name: "acts", Every: time.Hour, Run: func(ctx context.Context) (loop.Status, error) {
			n, err := p.schedules.PruneActs(ctx)
			return counted(n, "forgot %d automatic acts of long ago"), err
		}},
		{Name: noticesLoop, Every: 15 * time.Second, Run: func(ctx context.Context) (loop.Status, error) {
			n, err := p.notices.Send(ctx)
			return counted(n, "sent %d notices"), err
		}},
		{Name: "old notices", Every: time.Hour, Run: func(ctx context.Context) (loop.Status, error) {
			n, err := p.notices.Prune(ctx)
			return counted(n, "removed %d notices that were kept long enough"), err
		}},
		{Name: "audit", Every: time.Hour, Run: func(ctx context.Context) (loop.Status, error) {
			n, err := p.audit.Prune(ctx)
			return counted(n, "removed %d rows of the audit that were kept long enough"), err
		}},
		{Name: "ended holds", Every: 10 * time.Minute, Run: func(ctx context.Context) (loop.Status, error) {
			n, err := p.activity.CleanHolds(ctx)
			return counted(n, "removed %d holds that ended"), err
		}},
	}
}

// counted says what was done to n things; nothing for none.
func counted(n int64, did string) loop.Status {
	if n == 0 {
		return loop.Status{}
	}
	return loop.Status{Did: fmt.Sprintf(did, n)}
}

// endLinks ends the links to this relay that may not be any more.
func (p *parts) endLinks(ctx context.Context) (int64, error) {
	linked := map[berth.AgentID][]byte{}
	for _, id := range p.relay.Holds() {
		linked[id.Agent] = id.Token
	}
	out, err := p.workspaces.Trespassers(ctx, linked)
	if err != nil {
		return 0, err
	}
	var all sync.WaitGroup
	for id, why := range out {
		all.Go(func() { p.relay.CloseAgent(id, why) })
	}
	all.Wait()
	return int64(len(out)), nil
}
