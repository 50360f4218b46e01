package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

const (
	// heartbeat keeps proxies from ending a silent answer.
	heartbeat = 15 * time.Second
	// look is how often a watcher looks by itself. Lines of logs come without
	// a wake, so it is short.
	look = time.Second
	// reauthenticate is how long an answer may go on after its token ended.
	reauthenticate = 20 * time.Second
	// linesAtOnce bounds what one watcher holds in memory.
	linesAtOnce = 500
	// slowest is how long a client may take for one event before it is left.
	slowest = 30 * time.Second
)

// events is an answer of server-sent events.
type events struct{ Body func(huma.Context) }

// stream writes the events of one answer.
type stream struct {
	w    http.ResponseWriter
	conn *http.ResponseController
}

// send writes one event. id, if not empty, is what the client gives back as
// Last-Event-ID to go on behind it.
func (s *stream) send(event, id string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	return s.write(fmt.Sprintf("event: %s\n%sdata: %s\n\n", event, id, text))
}

func (s *stream) write(text string) error {
	s.conn.SetWriteDeadline(time.Now().Add(slowest)) // there is none to set within the process
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.conn.Flush()
}

// step looks once, sends what is new, and tells whether there is nothing more
// to come.
type step func(ctx context.Context, s *stream) (done bool, err error)

// follow answers with events: it takes steps, at each ring of wakes and by
// itself, until one is the last, the client goes, the server stops, or the
// token ends. A client comes back where it was; so errors that it can do
// nothing about just end the answer.
func (h *handlers) follow(ctx context.Context, wakes <-chan struct{}, cancel func(), next step) *events {
	return &events{Body: func(hc huma.Context) {
		defer cancel()
		_, w := humago.Unwrap(hc)
		s := &stream{w, http.NewResponseController(w)}
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Accel-Buffering", "no") // a proxy must not collect events
		if err := h.steps(ctx, s, wakes, next); err != nil {
			requestOf(ctx).err = err
		}
		s.conn.SetWriteDeadline(time.Time{})
	}}
}

func (h *handlers) steps(ctx context.Context, s *stream, wakes <-chan struct{}, next step) error {
	ticks, beats, checks := time.NewTicker(look), time.NewTicker(heartbeat), time.NewTicker(reauthenticate)
	defer ticks.Stop()
	defer beats.Stop()
	defer checks.Stop()
	var changed <-chan struct{} // of who watches: suspended, out of an organization
	if user := requestOf(ctx).user.ID; user != "" {
		rings, stop := h.Accounts.Watch(user)
		defer stop()
		changed = rings
	}
	if err := s.write(": watching\n\n"); err != nil {
		return nil
	}
	for {
		if done, err := next(ctx, s); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-h.Stopping:
			return nil
		case <-wakes:
		case <-ticks.C:
		case <-beats.C:
			if err := s.write(": still here\n\n"); err != nil {
				return nil
			}
		case <-changed:
			if err := requestOf(ctx).again(ctx); err != nil {
				return err
			}
		case <-checks.C:
			if err := requestOf(ctx).again(ctx); err != nil {
				return err
			}
		}
	}
}

type watchBuildInput struct {
	BuildInput
	After string `query:"after" doc:"Number of the last line that you have"`
	Last  string `header:"Last-Event-ID" doc:"The same, as browsers send it when they come back"`
}

func (h *handlers) watchBuild(ctx context.Context, in *watchBuildInput) (*events, error) {
	text := in.After
	if in.Last != "" {
		text = in.Last
	}
	after, err := position(text)
	if err != nil {
		return nil, err
	}
	wakes, cancel := h.Workspaces.WatchBuild(in.id()) // before looking, or a wake is missed
	if _, err := h.Workspaces.GetBuild(ctx, actorOf(ctx), in.id()); err != nil {
		cancel()
		return nil, err
	}
	w := &buildWatch{h: h, id: in.id(), after: after}
	return h.follow(ctx, wakes, cancel, w.step), nil
}

// buildWatch is how far a watcher of a build is.
type buildWatch struct {
	h     *handlers
	id    berth.BuildID
	after int64  // last line that was sent
	sent  string // last build that was sent, as JSON
}

// step reads the build before its lines: when it was complete then, no line is
// missing behind them.
func (b *buildWatch) step(ctx context.Context, s *stream) (done bool, err error) {
	view, err := b.h.Workspaces.GetBuild(ctx, actorOf(ctx), b.id)
	if err != nil {
		return true, err
	}
	build := viewBuild(view)
	final := !view.Build.Active()
	if !final { // the final one comes last
		if err := b.sendBuild(s, build); err != nil {
			return true, nil
		}
	}
	for {
		lines, err := b.h.Workspaces.Logs(ctx, actorOf(ctx), b.id, b.after, linesAtOnce)
		if err != nil {
			return true, err
		}
		for _, line := range lines {
			b.after = line.Seq
			if s.send("log", strconv.FormatInt(line.Seq, 10), line) != nil {
				return true, nil
			}
		}
		if len(lines) < linesAtOnce {
			break
		}
	}
	if final {
		b.sendBuild(s, build)
	}
	return final, nil
}

func (b *buildWatch) sendBuild(s *stream, build api.Build) error {
	text, err := json.Marshal(build)
	if err != nil || string(text) == b.sent {
		return err
	}
	b.sent = string(text)
	return s.send("build", "", json.RawMessage(text))
}

type watchWorkspaceInput struct {
	WorkspaceInput
	Last string `header:"Last-Event-ID" doc:"Id of the last event that you have"`
}

func (h *handlers) watchWorkspace(ctx context.Context, in *watchWorkspaceInput) (*events, error) {
	wakes, cancel := h.Workspaces.Watch(in.id())
	if _, err := h.Workspaces.Get(ctx, actorOf(ctx), in.id()); err != nil {
		cancel()
		return nil, err
	}
	last := in.Last
	return h.follow(ctx, wakes, cancel, func(ctx context.Context, s *stream) (bool, error) {
		view, err := h.Workspaces.Get(ctx, actorOf(ctx), in.id())
		if berth.ErrorCode(err) == berth.NotFound {
			return true, nil // deleted while it was watched
		}
		if err != nil {
			return true, err
		}
		shown, err := h.viewWorkspaces(ctx, view)
		if err != nil {
			return true, err
		}
		text, err := json.Marshal(shown[0])
		if err != nil {
			return true, err
		}
		sum := sha256.Sum256(text)
		if id := hex.EncodeToString(sum[:8]); id != last {
			last = id
			return s.send("workspace", id, json.RawMessage(text)) != nil, nil
		}
		return false, nil
	}), nil
}

// stopping tells whether the server wants to end.
func (h *handlers) stopping() bool {
	select {
	case <-h.Stopping:
		return true
	default:
		return false
	}
}

// untilStopping ends ctx when the server wants to end too.
func (h *handlers) untilStopping(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-h.Stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
