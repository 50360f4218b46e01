package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/http"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/audit"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/workspaces"
)

// request is what is known of a request beside its input. The middleware makes
// it; later steps fill it in for the log.
type request struct {
	id     string
	who    string // "user alice", "agent ID", "provider built-in"; empty for nobody
	remote string // network address of the caller; all else that names it takes it from here
	err    error  // what went wrong, for the log alone

	deed    *deed  // what it wants to do; nil: to look
	program string // what the caller calls itself

	bearer   string // the token itself; never logged
	actor    authz.Actor
	user     berth.User
	token    berth.Token
	agent    workspaces.AgentIdentity
	provider berth.Provider

	// again repeats the authentication, for answers that last long.
	again func(ctx context.Context) error
}

type requestKey struct{}

// requestOf gives the request of ctx; outside of one, an empty one.
func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// recorded is ctx with where the request comes from: what is done under it is
// recorded with that.
func (r *request) recorded(ctx context.Context) context.Context {
	o := berth.AuditOrigin{Address: r.remote, UserAgent: r.program, RequestID: r.id, TokenID: r.token.ID}
	if host, _, err := net.SplitHostPort(r.remote); err == nil {
		o.Address = host
	}
	return audit.WithOrigin(ctx, o)
}

// actorOf is the person who calls.
func actorOf(ctx context.Context) authz.Actor { return requestOf(ctx).actor }

// maxRequestID bounds the ids that a client may choose.
const maxRequestID = 64

// requestID takes the id that the client or a proxy chose, when it is a plain
// one, and makes one otherwise.
func requestID(r *http.Request) string {
	given := r.Header.Get("X-Request-Id")
	if given != "" && len(given) <= maxRequestID && plain(given) {
		return given
	}
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func plain(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}
