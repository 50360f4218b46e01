package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// outermost gives every request its id, its headers, its line in the log and a
// floor to fall on.
func outermost(log *slog.Logger, proxies Proxies, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		req := &request{id: requestID(r), remote: proxies.remote(r), program: r.UserAgent()}
		r = r.WithContext(req.recorded(context.WithValue(r.Context(), requestKey{}, req)))
		out := &answer{ResponseWriter: w}
		secure(out.Header())
		out.Header().Set("X-Request-Id", req.id)
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = newPatientBody(w, r)
		}
		defer func() {
			p := recover()
			if p != nil && p != http.ErrAbortHandler {
				req.err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
				if !out.wrote {
					writeProblem(out, r, req.err)
				}
			}
			logRequest(log, r, req, out, time.Since(started))
			if p != nil && (p == http.ErrAbortHandler || !out.finished()) {
				panic(http.ErrAbortHandler) // cut the connection: the answer is not whole
			}
		}()
		next.ServeHTTP(out, r)
	})
}

// secure sets what every answer says to a browser; pages set their own policy
// over it.
func secure(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
}

// logRequest writes one line: our failures as errors, what people do as info,
// what machines repeat as debug.
func logRequest(log *slog.Logger, r *http.Request, req *request, out *answer, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("request", req.id),
		slog.String("method", r.Method),
		slog.String("path", r.URL.Path),
		slog.Int("status", out.code()),
		slog.Int64("bytes", out.bytes),
		slog.Duration("took", took),
		slog.String("remote", req.remote),
	}
	if req.who != "" {
		attrs = append(attrs, slog.String("who", req.who))
	}
	level := slog.LevelInfo
	switch {
	case errors.Is(req.err, context.Canceled):
		level = slog.LevelDebug
	case out.code() == http.StatusInternalServerError:
		level = slog.LevelError
	case out.code() < http.StatusBadRequest && (repeated(r.URL.Path) || r.Method == http.MethodGet):
		level = slog.LevelDebug
	}
	if req.err != nil {
		attrs = append(attrs, slog.String("error", req.err.Error()), slog.String("code", string(berth.ErrorCode(req.err))))
	}
	log.LogAttrs(r.Context(), level, "http", attrs...)
}

func repeated(path string) bool {
	return strings.HasPrefix(path, "/api/v1/runner/") || strings.HasPrefix(path, "/api/v1/agent/")
}

// answer notes what became of an answer.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int64
	wrote  bool
}

func (a *answer) WriteHeader(status int) {
	if !a.wrote {
		a.status, a.wrote = status, status >= 200 || status == http.StatusSwitchingProtocols
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if !a.wrote {
		a.WriteHeader(http.StatusOK)
	}
	n, err := a.ResponseWriter.Write(p)
	a.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController and websockets reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) code() int {
	if a.status == 0 {
		return http.StatusOK
	}
	return a.status
}

// finished tells whether the answer of a handler that panicked is whole: it is
// when we wrote the problem ourselves.
func (a *answer) finished() bool { return a.status == http.StatusInternalServerError }
