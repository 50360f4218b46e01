package tunnel

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// Limits of one link.
const (
	// MaxStreams is how many streams an agent serves at a time, kept ones
	// included.
	MaxStreams = 200
	// maxRequests leaves room for other requests beside the streams.
	maxRequests = MaxStreams + 50
	maxHeader   = 16 << 10
	// maxData is the payload of the largest HTTP/2 frame: one of ours.
	maxData = frameSize
)

// Handler is what an agent offers on its link.
type Handler struct {
	// Streams maps a kind to the function that serves one stream of it. A
	// stream of kind "tcp:8080" is one of kind "tcp" with the argument "8080".
	// The stream is closed when the function returns; ctx ends with the
	// stream, or with its link when it does not resume.
	Streams map[string]func(ctx context.Context, s *Stream, argument string)
	// HTTP answers the relay's other requests; may be nil.
	HTTP http.Handler
	// Keeper keeps streams beyond this link; nil: none.
	Keeper *Keeper
}

// Goodbye is how a relay ends a link, or a stream: on purpose.
type Goodbye struct {
	Reason string `json:"reason"`
	Relink bool   `json:"relink"` // try again at once (the relay restarts); else it is for good
}

func (g *Goodbye) Error() string { return "the relay ended the connection: " + g.Reason }

// Serve serves an agent's end of a link until it ends, and says why: a
// *Goodbye when the relay said so, ctx's error, or else one with ErrLost.
// Functions of h may still be returning when it does.
func Serve(ctx context.Context, carrier net.Conn, h Handler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { carrier.Close() })()
	a := &agent{handler: h, keeper: h.Keeper}
	if a.keeper == nil {
		a.keeper = NewKeeper() // for their number
		defer a.keeper.cancel()
	}
	server := &http2.Server{
		MaxConcurrentStreams:         maxRequests,
		MaxReadFrameSize:             maxData,
		MaxUploadBufferPerStream:     Window,
		MaxUploadBufferPerConnection: 16 * Window, // streams take their bytes at once: see Stream
		ReadIdleTimeout:              PingEvery,
		PingTimeout:                  pingWait,
	}
	base := &http.Server{MaxHeaderBytes: maxHeader, ErrorLog: log.New(io.Discard, "", 0)}
	if err := http2.ConfigureServer(base, server); err != nil {
		return err
	}
	server.ServeConn(carrier, &http2.ServeConnOpts{Context: ctx, BaseConfig: base, Handler: a.routes()})
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.bye != nil:
		return a.bye
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		return lost(io.EOF)
	}
}

// agent is the state of one served link.
type agent struct {
	handler Handler
	keeper  *Keeper

	mu  sync.Mutex
	bye *Goodbye
}

func (a *agent) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /streams/{id}", a.serveStream)
	mux.HandleFunc("POST /bye", a.goodbye)
	if a.handler.HTTP != nil {
		mux.Handle("/", a.handler.HTTP)
	}
	return mux
}

func (a *agent) goodbye(w http.ResponseWriter, r *http.Request) {
	var g Goodbye
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxHeader)).Decode(&g); err != nil {
		http.Error(w, "a goodbye that is not JSON", http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	a.bye = &g
	a.mu.Unlock()
	if !g.Relink {
		a.keeper.End(printable([]byte(g.Reason)))
	}
	w.WriteHeader(http.StatusNoContent)
}

// answer begins the answer to an opening, whose bodies are the carrier.
func answer(w http.ResponseWriter, r *http.Request) (*bodies, bool) {
	w.WriteHeader(http.StatusOK)
	c := &bodies{in: r.Body, out: w, control: http.NewResponseController(w)}
	return c, c.control.Flush() == nil
}

// bodies carries a stream in the two bodies of one request, on the side that
// serves it.
type bodies struct {
	in      io.ReadCloser
	out     io.Writer
	control *http.ResponseController

	writing  sync.Mutex // covers out
	aborting sync.Mutex // covers control beside it
	gone     bool       // the handler returns: neither may be touched; written under both
}

var errDetached = errors.New("the request has ended")

func (b *bodies) Read(p []byte) (int, error) { return b.in.Read(p) }

func (b *bodies) Write(p []byte) (int, error) {
	b.writing.Lock()
	defer b.writing.Unlock()
	if b.gone {
		return 0, errDetached
	}
	n, err := b.out.Write(p)
	if err == nil {
		err = b.control.Flush()
	}
	return n, err
}

// Close ends a Read that waits.
func (b *bodies) Close() error { return b.in.Close() }

// Abort ends a Write that waits, too, and with it the request.
func (b *bodies) Abort() {
	b.aborting.Lock()
	defer b.aborting.Unlock()
	if !b.gone {
		b.control.SetWriteDeadline(time.Unix(1, 0))
		b.in.Close()
	}
}

// detach waits for the last Write and refuses further ones.
func (b *bodies) detach() {
	b.writing.Lock()
	defer b.writing.Unlock()
	b.aborting.Lock()
	defer b.aborting.Unlock()
	b.gone = true
}
