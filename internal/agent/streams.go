package agent

import (
	"context"
	"errors"
	"net"

	"github.com/berthdev/berth/internal/agent/shell"
	"github.com/berthdev/berth/internal/tunnel"
)

// serveLink answers what the relay asks on a link, until the link ends.
func serveLink(ctx context.Context, link net.Conn, sessions *shell.Server) error {
	return tunnel.Serve(ctx, link, tunnel.Handler{
		Streams: map[string]func(context.Context, *tunnel.Stream){
			"ssh": func(_ context.Context, s *tunnel.Stream) { sessions.ServeConn(s) },
		},
	})
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
