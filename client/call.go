package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// nothing is the input or output of a call that has none.
type nothing struct{}

const (
	jsonType = "application/json"
	// maxAnswer bounds what one answer may hold; states are the largest.
	maxAnswer = 256 << 20
)

// call sends in as JSON and reads the answer as JSON. An answer without a body
// leaves Out at its zero value. The work is in a method, as each pair of types
// has a copy of this function in the binary.
func call[In, Out any](ctx context.Context, c *Client, method, path string, in In) (Out, error) {
	var out Out
	err := c.call(ctx, method, path, in, &out)
	return out, err
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	req := request{method: method, path: path}
	if _, none := in.(nothing); !none {
		body, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("writing the request: %w", err)
		}
		req.contentType, req.body = jsonType, bytes.NewReader(body)
	}
	return c.upload(ctx, req, out)
}

// upload sends a request as it is and reads the answer as JSON.
func (c *Client) upload(ctx context.Context, req request, out any) error {
	req.accept = jsonType
	res, err := c.send(ctx, req)
	if err != nil {
		return err
	}
	defer drain(res.Body)
	if _, none := out.(*nothing); none || res.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(out); err != nil {
		return c.strange(ctx, res, err)
	}
	return nil
}

func get[Out any](ctx context.Context, c *Client, path string) (Out, error) {
	return call[nothing, Out](ctx, c, http.MethodGet, path, nothing{})
}

func post[In, Out any](ctx context.Context, c *Client, path string, in In) (Out, error) {
	return call[In, Out](ctx, c, http.MethodPost, path, in)
}

// bare calls with nothing and expects no answer.
func bare(ctx context.Context, c *Client, method, path string) error {
	_, err := call[nothing, nothing](ctx, c, method, path, nothing{})
	return err
}

// tell posts in and expects no answer.
func tell[In any](ctx context.Context, c *Client, path string, in In) error {
	_, err := call[In, nothing](ctx, c, http.MethodPost, path, in)
	return err
}

// request is one request to the API, before its address is complete.
type request struct {
	method      string
	path        string // behind the prefix, from path or query
	accept      string
	contentType string
	body        io.Reader
}

// send gives the answer to r when it is a good one, and an error otherwise.
// The caller closes the body.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	if strings.HasPrefix(r.path, badPath) {
		return nil, berth.Errorf(berth.Invalid, "%q is not a name or an id", strings.TrimPrefix(r.path, badPath))
	}
	return c.repeat(ctx, r.method == http.MethodGet, func() (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, r.method, c.base.String()+api.Prefix+r.path, r.body)
		if err != nil {
			return nil, fmt.Errorf("making the request: %w", err)
		}
		c.sign(req.Header)
		if r.accept != "" {
			req.Header.Set("Accept", r.accept)
		}
		if r.contentType != "" {
			req.Header.Set("Content-Type", r.contentType)
		}
		res, err := c.http.Do(req)
		if err != nil {
			return nil, c.unreached(ctx, err)
		}
		if res.StatusCode >= 300 {
			defer drain(res.Body)
			return nil, c.refused(ctx, res)
		}
		return res, nil
	})
}

func (c *Client) sign(h http.Header) {
	h.Set("User-Agent", c.agent)
	if c.token != "" {
		h.Set("Authorization", "Bearer "+c.token)
	}
}

// badPath marks a path that must not be sent; no good path starts with it.
const badPath = "\x00"

// path joins segments, each escaped. A segment that would change the path
// itself (empty, "." or "..") makes it a bad one: no name or id looks so.
func path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		if s == "" || s == "." || s == ".." {
			return badPath + s
		}
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}

// query appends pairs of key and value to a path; empty values are left out.
func query(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// drain reads what is left of a small body, so that its connection is used again.
func drain(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 64<<10)
	_ = body.Close()
}
