package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// serve mounts operations of a test behind the real middleware. The text of
// the log may be read once a request was answered.
func serve(operations ...operation) (http.Handler, *bytes.Buffer) {
	var log bytes.Buffer
	mux := http.NewServeMux()
	h := &handlers{Services: Services{AccessURL: "https://berth.test"}, origin: "https://berth.test"}
	target := humago.NewWithPrefix(mux, api.Prefix, humaConfig())
	for _, o := range operations {
		o.register(h, target, mux)
	}
	return outermost(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), nil, mux), &log
}

func failing(err error) operation {
	return op(public, "GET /fail", "fail", "", func(*handlers, context.Context, *struct{}) (*struct{}, error) { return nil, err })
}

func ask(t *testing.T, h http.Handler, method, path, text string, header ...string) (*httptest.ResponseRecorder, api.Problem) {
	t.Helper()
	r := httptest.NewRequest(method, api.Prefix+path, strings.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var p api.Problem
	if w.Code >= 400 {
		if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%s %s: Content-Type %q", method, path, got)
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatalf("%s %s: %v in %q", method, path, err, w.Body)
		}
		if p.Status != w.Code || p.RequestID == "" || p.RequestID != w.Header().Get("X-Request-Id") || p.Type != "about:blank" {
			t.Errorf("%s %s: status %d, request %q, problem %+v", method, path, w.Code, w.Header().Get("X-Request-Id"), p)
		}
	}
	return w, p
}

// A caller learns nothing of an error that is not meant for people, however it
// comes; the log has all of it, under the request's id.
func TestUnknownErrorsShowNothing(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	cause := errors.New("pq: password authentication failed for postgres://berth:" + secret + "@db/berth")
	for name, err := range map[string]error{
		"bare":          cause,
		"wrapped":       fmt.Errorf("reading the workspace: %w", cause),
		"ours":          &berth.Error{Code: berth.Internal, Message: "wrote " + secret, Err: cause},
		"beside a kind": errors.Join(cause, errors.New("more")),
	} {
		h, log := serve(failing(err))
		w, p := ask(t, h, "GET", "/fail", "")
		if w.Code != 500 || p.Code != "internal" || p.Detail != "" || strings.Contains(w.Body.String(), secret) {
			t.Errorf("%s: the caller got %d %s", name, w.Code, w.Body)
		}
		if !strings.Contains(log.String(), secret) || !strings.Contains(log.String(), p.RequestID) || !strings.Contains(log.String(), "level=ERROR") {
			t.Errorf("%s: the log has %s", name, log)
		}
	}
}

func TestCausesOfKnownErrorsStayInTheLog(t *testing.T) {
	t.Parallel()
	h, log := serve(failing(fmt.Errorf("starting: %w", &berth.Error{Code: berth.Conflict, Message: "a build is active", Field: "transition", Err: errors.New("UNIQUE failed")})))
	w, p := ask(t, h, "GET", "/fail", "")
	if w.Code != 409 || p.Detail != "a build is active" || p.Field != "transition" || strings.Contains(w.Body.String(), "UNIQUE") {
		t.Errorf("the caller got %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "UNIQUE failed") {
		t.Errorf("the log has %s", log)
	}
}

func TestEveryCodeHasAStatus(t *testing.T) {
	t.Parallel()
	for code, want := range map[berth.Code]int{
		berth.Invalid: 400, berth.Unauthenticated: 401, berth.Forbidden: 403, berth.NotFound: 404,
		berth.Conflict: 409, berth.Limit: 429, berth.Unavailable: 503, berth.Internal: 500,
	} {
		h, _ := serve(failing(berth.Errorf(code, "no")))
		if w, p := ask(t, h, "GET", "/fail", ""); w.Code != want || p.Code != string(code) {
			t.Errorf("%s: %d %+v", code, w.Code, p)
		}
	}
	h, _ := serve(failing(context.DeadlineExceeded))
	if w, p := ask(t, h, "GET", "/fail", ""); w.Code != 503 || p.Code != "unavailable" {
		t.Errorf("a deadline: %d %+v", w.Code, p)
	}
}

type echoInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"10" default:"5"`
	Body  struct {
		Name string `json:"name" maxLength:"8"`
		Kind string `json:"kind,omitempty" enum:"a,b"`
	}
}

func echo(who access, options ...option) operation {
	return op(who, "POST /echo", "echo", "", func(_ *handlers, _ context.Context, in *echoInput) (*body[string], error) {
		return &body[string]{in.Body.Name}, nil
	}, options...)
}

func TestWrongInputNamesItsField(t *testing.T) {
	t.Parallel()
	h, log := serve(echo(public, atMost(200)))
	for _, c := range []struct {
		path, body, field, says string
		status                  int
	}{
		{"/echo", `{"name":"x"}`, "", "", 200},
		{"/echo", `{}`, "", "name", 400},
		{"/echo", `{"name":"hunter2hunter2"}`, "name", "length", 400},
		{"/echo", `{"name":"x","kind":"hunter2"}`, "kind", "", 400},
		{"/echo", `{"name":7}`, "name", "string", 400},
		{"/echo", `{"name":"x","nmae":"hunter2"}`, "nmae", "", 400},
		{"/echo", `{"name":"hunter2`, "", "", 400},
		{"/echo?limit=99", `{"name":"x"}`, "limit", "", 400},
		{"/echo?limit=hunter2", `{"name":"x"}`, "limit", "", 400},
		{"/echo", ``, "", "", 400},
		{"/echo", `{"name":"x"` + strings.Repeat(" ", 300) + `}`, "", "large", 413},
	} {
		w, p := ask(t, h, "POST", c.path, c.body)
		if w.Code != c.status || p.Field != c.field || !strings.Contains(p.Detail, c.says) {
			t.Errorf("%s %s: %d %+v", c.path, c.body, w.Code, p)
		}
		if c.status == 400 && p.Code != "invalid" || c.status == 413 && p.Code != "limit" {
			t.Errorf("%s %s: code %s", c.path, c.body, p.Code)
		}
		if strings.Contains(w.Body.String(), "hunter2") && c.status != 200 {
			t.Errorf("%s %s: the answer repeats the input: %s", c.path, c.body, w.Body)
		}
	}
	if strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log repeats the input: %s", log)
	}
	if w, p := ask(t, h, "POST", "/echo", "name=x", "Content-Type", "application/x-www-form-urlencoded"); w.Code != 415 || p.Code != "invalid" || !strings.Contains(p.Detail, "JSON") {
		t.Errorf("a form: %d %+v", w.Code, p)
	}
}

// Programs of ours that are newer than the server say more than it knows.
func TestRunnersAndAgentsMaySayMore(t *testing.T) {
	t.Parallel()
	o := describe(runner, "POST /x", "x", "", nil)
	if !o.SkipValidateBody {
		t.Error("an unknown field of a runner is refused")
	}
	if o := describe(person, "POST /x", "x", "", nil); o.SkipValidateBody {
		t.Error("a misspelt field of a person is taken")
	}
}
