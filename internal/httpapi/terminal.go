package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/coder/websocket"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/tunnel"
)

const (
	// openTerminalTime bounds the way to the agent.
	openTerminalTime = 20 * time.Second
	// terminalPing is how often a page is asked whether it is there.
	terminalPing = 20 * time.Second
	// maxTerminalCommand bounds the command of a terminal, in bytes.
	maxTerminalCommand = 8 << 10
)

// Statuses with which a terminal's websocket is closed, beside those that
// every websocket has.
const (
	terminalOver   = websocket.StatusNormalClosure // the program ended, or there is no terminal to be had
	terminalAgain  = websocket.StatusTryAgainLater // the way to the terminal was lost: connect again
	terminalNoMore = websocket.StatusPolicyViolation
)

// openTerminal bridges a page's websocket and a terminal of an agent.
func (h *handlers) openTerminal(w http.ResponseWriter, r *http.Request) error {
	id, ctx := r.PathValue("terminal"), r.Context()
	if !berth.IsID(id) {
		return berth.InvalidField("terminal", "%q is not a UUID in lower case", id)
	}
	open, err := terminalWanted(r.URL.Query())
	if err != nil {
		return err
	}
	a, err := h.Workspaces.ResolveAgent(ctx, actorOf(ctx), berth.WorkspaceID(r.PathValue("workspace")), r.PathValue("agent"))
	if err != nil {
		return err
	}
	dialing, cancel := context.WithTimeout(ctx, openTerminalTime)
	defer cancel()
	stream, err := h.Relay.Dial(dialing, a.ID, string(requestOf(ctx).user.ID), "terminal:"+id)
	if err != nil {
		return err
	}
	defer stream.Close()
	// Whose page it is was looked at with the cookie: see ownPage.
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		h.Log.Debug("a terminal was not a websocket", "error", err)
		return nil // answered
	}
	ws.SetReadLimit(api.MaxTerminalFrame)
	b := &terminalBridge{h: h, ws: ws, stream: stream}
	admitted, leave := h.admitted(ctx, r.PathValue("workspace"))
	defer leave()
	left := h.connected(ctx, a, "terminal", id)
	b.serve(admitted, a, open)
	left(ending(admitted))
	return nil
}

// terminalWanted reads the query of a terminal.
func terminalWanted(query url.Values) (open api.OpenTerminal, err error) {
	for name, into := range map[string]*int{"cols": &open.Columns, "rows": &open.Rows} {
		text := query.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 10000 {
			return open, berth.InvalidField(name, "%q is not a number of characters", text)
		}
		*into = n
	}
	if open.Command = query.Get("command"); len(open.Command) > maxTerminalCommand {
		return open, berth.InvalidField("command", "the command is too long: at most %d bytes", maxTerminalCommand)
	}
	return open, nil
}

// terminalBridge is one viewer of a terminal.
type terminalBridge struct {
	h      *handlers
	ws     *websocket.Conn
	stream *tunnel.Stream
}

// serve copies both ways until either end is gone, ctx ends with what the page
// is told, or the server stops.
func (b *terminalBridge) serve(ctx context.Context, a berth.Agent, open api.OpenTerminal) {
	admitted := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opening, err := json.Marshal(open)
	if err == nil {
		err = api.WriteTerminalFrame(b.stream, api.TerminalOpen, opening)
	}
	if err != nil {
		b.ws.Close(terminalAgain, "the way to the workspace was lost")
		return
	}
	if a.Lifecycle == berth.AgentStarting {
		b.tell(ctx, api.TerminalControl{Notice: startingNotice(a)})
	}
	go func() {
		defer cancel()
		b.typed(ctx)
	}()
	go func() {
		defer cancel()
		b.keep(ctx)
	}()
	go func() {
		<-ctx.Done()
		b.stream.Close() // ends show
	}()
	status, reason := b.show(ctx)
	if why := context.Cause(admitted); why != nil {
		status, reason = terminalNoMore, berth.ErrorMessage(why)
	}
	b.ws.Close(status, reason)
}

// startingNotice says that a workspace is not ready, to a person who is let in
// all the same.
func startingNotice(a berth.Agent) string {
	for _, s := range a.Scripts {
		if s.RunOnStart && s.StartBlocksLogin {
			name := s.DisplayName
			if name == "" {
				name = "of the template"
			}
			return "Start scripts still run (" + name + "): what they prepare may not be there yet."
		}
	}
	return ""
}

// show sends what the terminal shows, and says how to close the websocket.
func (b *terminalBridge) show(ctx context.Context) (websocket.StatusCode, string) {
	for {
		kind, payload, err := api.ReadTerminalFrame(b.stream)
		switch {
		case err != nil && b.h.stopping():
			return websocket.StatusServiceRestart, "the server restarts"
		case err != nil:
			return terminalAgain, "the way to the workspace was lost"
		}
		switch kind {
		case api.TerminalOutput:
			err = b.write(ctx, websocket.MessageBinary, payload)
		case api.TerminalResize:
			var size api.TerminalSize
			if size, err = api.ReadTerminalSize(payload); err == nil {
				err = b.tell(ctx, api.TerminalControl{Resize: &size})
			}
		case api.TerminalExit:
			var end api.TerminalEnd
			json.Unmarshal(payload, &end)
			b.tell(ctx, api.TerminalControl{Exit: &end})
			return terminalOver, "the program ended"
		case api.TerminalFailed:
			b.tell(ctx, api.TerminalControl{Error: string(payload)})
			return terminalOver, "there is no terminal"
		}
		if err != nil {
			return terminalAgain, "the page does not take what is sent"
		}
	}
}

func (b *terminalBridge) tell(ctx context.Context, c api.TerminalControl) error {
	if c == (api.TerminalControl{}) {
		return nil
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return b.write(ctx, websocket.MessageText, text)
}

func (b *terminalBridge) write(ctx context.Context, kind websocket.MessageType, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, slowest)
	defer cancel()
	return b.ws.Write(ctx, kind, data)
}

// typed takes what the page sends, until the page is gone. That the terminal
// takes nothing more is no end: what it said last may still be on its way.
func (b *terminalBridge) typed(ctx context.Context) {
	for {
		kind, data, err := b.ws.Read(ctx)
		if err != nil {
			return
		}
		if kind == websocket.MessageBinary {
			api.WriteTerminalFrame(b.stream, api.TerminalInput, data)
			continue
		}
		var c api.TerminalControl
		if json.Unmarshal(data, &c) == nil && c.Resize != nil {
			api.WriteTerminalFrame(b.stream, api.TerminalResize, c.Resize.Payload())
		}
	}
}

// keep sees that the page is there, until it is not.
func (b *terminalBridge) keep(ctx context.Context) {
	pings := time.NewTicker(terminalPing)
	defer pings.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.h.Stopping:
			return
		case <-pings.C:
			pinging, cancel := context.WithTimeout(ctx, terminalPing)
			err := b.ws.Ping(pinging)
			cancel()
			if err != nil {
				return
			}
		}
	}
}
