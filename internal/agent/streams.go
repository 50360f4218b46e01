package agent

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/berthdev/berth/internal/agent/ports"
	"github.com/berthdev/berth/internal/tunnel"
)

// serveLink answers what the relay asks on a link, until the link ends.
func serveLink(ctx context.Context, link net.Conn, h tunnel.Handler) error {
	return tunnel.Serve(ctx, link, h)
}

// offers is what the relay can ask of this agent: the kinds of streams, and the
// routes of its other requests.
func (a *agent) offers() tunnel.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ports", ports.Serve)
	mux.HandleFunc("GET /metadata", a.metadata.serve)
	mux.HandleFunc("GET /activity", a.activity.Serve)
	mux.HandleFunc("PUT /identity", a.putIdentity)
	mux.HandleFunc("POST /announcement", a.announce)
	streams := map[string]func(context.Context, *tunnel.Stream, string){
		"ssh": func(_ context.Context, s *tunnel.Stream, _ string) { a.sessions.ServeConn(s) },
		"tcp": a.forward(ports.ForwardTCP),
		"udp": a.forward(ports.ForwardUDP),

		"terminal": a.serveTerminal,
	}
	for _, kind := range []string{"ssh", "terminal"} { // what people look at
		if serve := streams[kind]; serve != nil {
			streams[kind] = func(ctx context.Context, s *tunnel.Stream, argument string) {
				defer a.activity.Connected()()
				serve(ctx, s, argument)
			}
		}
	}
	return tunnel.Handler{Streams: streams, HTTP: mux, Keeper: a.streams}
}

// forward serves streams to ports.
func (a *agent) forward(serve func(context.Context, *tunnel.Stream, string) error) func(context.Context, *tunnel.Stream, string) {
	return func(ctx context.Context, s *tunnel.Stream, address string) {
		if err := serve(ctx, s, address); err != nil {
			a.log.Debug("a port could not be reached", "address", address, "error", err)
		}
	}
}

// wantsRelink tells whether the relay ended the link to have another at once.
func wantsRelink(err error) bool {
	var bye *tunnel.Goodbye
	return errors.As(err, &bye) && bye.Relink
}

// isFinal tells whether the relay ended the link to have no other, as long as
// things are as they are.
func isFinal(err error) bool {
	var bye *tunnel.Goodbye
	return errors.As(err, &bye) && !bye.Relink
}
