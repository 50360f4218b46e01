package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// status is the cause of an error that an answer of this status brought.
type status int

func (s status) Error() string { return fmt.Sprintf("status %d", int(s)) }

// ErrForeign is the cause of an error whose answer was not in the words of
// Berth: something in between gave it, or the address is another server's.
var ErrForeign = errors.New("not an answer of Berth")

// Status is that of the answer that err came with; 0: there was none.
func Status(err error) int {
	var s status
	var e *berth.Error
	if errors.As(err, &e) && errors.As(e.Err, &s) {
		return int(s)
	}
	return 0
}

// codes says what a status means that came without a problem document, as
// proxies in between send them.
var codes = map[int]berth.Code{
	http.StatusBadRequest:            berth.Invalid,
	http.StatusUnprocessableEntity:   berth.Invalid,
	http.StatusUnauthorized:          berth.Unauthenticated,
	http.StatusForbidden:             berth.Forbidden,
	http.StatusNotFound:              berth.NotFound,
	http.StatusMethodNotAllowed:      berth.NotFound,
	http.StatusConflict:              berth.Conflict,
	http.StatusRequestEntityTooLarge: berth.Limit,
	http.StatusTooManyRequests:       berth.Limit,
	http.StatusBadGateway:            berth.Unavailable,
	http.StatusServiceUnavailable:    berth.Unavailable,
	http.StatusGatewayTimeout:        berth.Unavailable,
}

// refused makes the error of an answer that is not a good one.
func (c *Client) refused(ctx context.Context, res *http.Response) error {
	if to := res.Header.Get("Location"); res.StatusCode < 400 && to != "" {
		return &berth.Error{Code: berth.Unavailable, Err: status(res.StatusCode),
			Message: fmt.Sprintf("%s redirects to %s: use that address instead", c.URL(), printable(to))}
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	var p api.Problem
	if kind != "application/problem+json" || json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&p) != nil || p.Code == "" {
		return c.strange(ctx, res, nil)
	}
	e := &berth.Error{Code: berth.Code(p.Code), Message: printable(p.Detail), Field: printable(p.Field), Err: status(res.StatusCode)}
	if e.Message == "" {
		e.Message = printable(p.Title)
	}
	if e.Code == berth.Internal && p.RequestID != "" {
		e.Message += fmt.Sprintf(" (the server's log has it under request %s)", printable(p.RequestID))
	}
	return wire{e}
}

// strange makes the error of an answer that does not look like Berth's.
func (c *Client) strange(ctx context.Context, res *http.Response, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("calling %s: %w", c.URL(), ctx.Err())
	}
	code, known := codes[res.StatusCode]
	if !known {
		code = berth.Unavailable
	}
	e := &berth.Error{Code: code, Err: status(res.StatusCode)}
	if err != nil {
		e.Message, e.Err = fmt.Sprintf("%s gave an answer that this program does not understand: is it a Berth server of about the same version?", c.URL()), err
		return e
	}
	e.Message = fmt.Sprintf("%s answered %d %s, not in the words of Berth: is it the address of a Berth server?",
		c.URL(), res.StatusCode, http.StatusText(res.StatusCode))
	e.Err = errors.Join(e.Err, ErrForeign)
	return wire{e}
}

// wire is an Error that came from the server. Its text leaves out the status,
// which only says the same again; errors.As and Is see the Error.
type wire struct{ err *berth.Error }

func (w wire) Error() string {
	e := *w.err
	e.Err = nil
	return e.Error()
}

func (w wire) Unwrap() error { return w.err }

// unreached makes the error of a request that got no answer.
func (c *Client) unreached(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("calling %s: %w", c.URL(), ctx.Err())
	}
	e := &berth.Error{Code: berth.Unavailable, Err: err}
	e.Message = fmt.Sprintf("cannot reach %s: %s", c.URL(), because(err))
	return wire{e}
}

func because(err error) string {
	var dns *net.DNSError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var record tls.RecordHeaderError
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused, is the server running?"
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("no host has the name %s, is the address right?", dns.Name)
	case errors.As(err, &unknown):
		return "its certificate is signed by nobody that this machine trusts; name the file of its authority in SSL_CERT_FILE"
	case errors.As(err, &host):
		return "its certificate is for another host, is the address right?"
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "it does not speak TLS, try http:// instead of https://"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection broke off, is the server running?"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer came in time, is the server running and the network open?"
	default:
		return err.Error()
	}
}

// printable takes control characters out of what a server says, since it may
// end up on a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}
