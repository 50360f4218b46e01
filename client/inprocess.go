package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// InProcess is a RoundTripper that calls h in this process, without sockets.
// Answers stream as h writes them, and h may read the request's body while it
// writes its answer. The request's context is h's; closing an answer's body
// ends h's writes. It cannot take over connections: no websockets.
func InProcess(h http.Handler) http.RoundTripper { return inProcess{h} }

type inProcess struct{ h http.Handler }

func (t inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, hangUp := context.WithCancel(req.Context())
	in := req.Clone(ctx)
	in.RequestURI = in.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:0"
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	if in.Host == "" {
		in.Host = in.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { _ = r.CloseWithError(ctx.Err()) })
	a := &answer{header: http.Header{}, begun: make(chan struct{}), pipe: w}
	ended := make(chan error, 1)
	go func() {
		err := a.serve(t.h, in)
		_ = in.Body.Close()
		ended <- err
		_ = w.CloseWithError(err) // nil: the end of the body
	}()
	select {
	case <-a.begun:
	case err := <-ended:
		if err != nil {
			hangUp()
			return nil, err
		}
		a.WriteHeader(http.StatusOK)
	case <-ctx.Done():
		hangUp()
		return nil, ctx.Err()
	}
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", a.code, http.StatusText(a.code)),
		StatusCode:    a.code,
		Proto:         in.Proto,
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        a.sent,
		Body:          body{r, hangUp},
		ContentLength: -1,
		Request:       req,
	}, nil
}

// answer is the ResponseWriter of one request.
type answer struct {
	header, sent http.Header
	code         int
	once         sync.Once
	begun        chan struct{} // closed when code and sent are final
	pipe         *io.PipeWriter
}

func (a *answer) serve(h http.Handler, r *http.Request) (err error) {
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			err = io.ErrUnexpectedEOF
		} else if p != nil {
			err = fmt.Errorf("the server's handler panicked: %v", p)
		}
	}()
	h.ServeHTTP(a, r)
	return nil
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(code int) {
	if code >= 100 && code < 200 {
		return
	}
	a.once.Do(func() {
		a.code, a.sent = code, a.header.Clone()
		close(a.begun)
	})
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if len(p) == 0 {
		return 0, nil
	}
	return a.pipe.Write(p)
}

func (a *answer) Flush() { a.WriteHeader(http.StatusOK) }

// EnableFullDuplex is for http.ResponseController: it is so anyway.
func (a *answer) EnableFullDuplex() error { return nil }

// body is the reading end of an answer. Closing it ends the handler's context
// and writes, as hanging up would.
type body struct {
	*io.PipeReader
	hangUp context.CancelFunc
}

func (b body) Close() error {
	b.hangUp()
	return b.PipeReader.Close()
}
