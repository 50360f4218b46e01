package httpapi_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/server/servertest"
)

// walkFile shows what the walk saw: a line for each operation, a column for
// each of the cast.
const walkFile = "testdata/walk.golden"

// row says of an operation which right it asks for. walk_rows_test.go has them.
type row struct {
	op string // its id in the OpenAPI document
	as string // names one of several rows of an operation

	// Which right it needs. Of these, one is given.
	needs  authz.Action                                 // the action to
	on     func(w *world, a authz.Actor) authz.Resource // this
	lists  authz.Kind                                   // a list: everybody sees of the kind what they may read
	anyone bool                                         // whoever is signed in
	public bool                                         // everybody
	// and is what it needs besides; who lacks that is refused openly.
	and    []right
	openly bool // there is nothing to hide: refused as forbidden, never as not found

	query, body string                                 // {workspace} and the like are filled in, as in the path
	media       string                                 // of the body; JSON unless given
	with        map[string]string                      // other values for the braces
	before      func(t *testing.T, w *world, c caster) // makes what the request uses up
	twin        string                                 // a body that asks for what is not there: who may not know of it is told the same
	passes      int                                    // the status for those who may, where that is 400
}

type right struct {
	needs authz.Action
	on    func(w *world, a authz.Actor) authz.Resource
}

// found is an operation of the document.
type found struct{ id, method, path, access string }

func documented(t *testing.T, s *servertest.Server) (all []found) {
	t.Helper()
	w, err := http.Get(s.URL + api.Prefix + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	var spec struct {
		Paths map[string]map[string]struct {
			ID     string `json:"operationId"`
			Access string `json:"x-access"`
		}
	}
	if err := json.NewDecoder(w.Body).Decode(&spec); err != nil {
		t.Fatal(err)
	}
	for path, methods := range spec.Paths {
		for method, o := range methods {
			all = append(all, found{o.ID, strings.ToUpper(method), path, o.Access})
		}
	}
	slices.SortFunc(all, func(a, b found) int { return strings.Compare(a.path+" "+a.method, b.path+" "+b.method) })
	return all
}

// TestWalkGrid calls every operation of the OpenAPI document as everybody of the
// cast: each is answered as the policy says of the right that the operation's
// row names, and who may not know of a thing is told the same as if there were
// none. An operation without a row fails: what nobody thought about is not
// allowed.
func TestWalkGrid(t *testing.T) {
	t.Parallel()
	if raceDetector {
		t.Skip("SKIPPED: thousands of requests one after the other race with nothing; make test runs it without the detector")
	}
	w := newWorld(t)
	rows := map[string][]row{}
	for _, r := range walkRows {
		rows[r.op] = append(rows[r.op], r)
	}
	var grid strings.Builder
	for _, c := range cast {
		fmt.Fprintf(&grid, "%-5s %s\n", c.tag, c.about)
	}
	fmt.Fprintf(&grid, "\nyes: they may; 401: sign in; 403: they may know of it, and may not; 404: they may not know of it\n\n%-24s", "")
	for _, c := range cast {
		fmt.Fprintf(&grid, " %-4s", c.tag)
	}
	grid.WriteByte('\n')
	for _, o := range documented(t, w.s) {
		mine := rows[o.id]
		delete(rows, o.id)
		switch {
		case o.access != "person" && o.access != "public":
			continue // agents and runners; TestEveryOperationRefusesStrangers has them
		case len(mine) == 0:
			t.Errorf("the operation %s (%s %s) has no row in internal/httpapi/walk_rows_test.go: say there which right it asks for, on what, "+
				"and give a body that is good; then run: go test ./internal/httpapi -run Grid -update", o.id, o.method, o.path)
		}
		for _, r := range mine {
			name := r.op
			if r.as != "" {
				name += ", " + r.as
			}
			fmt.Fprintf(&grid, "%-24s", name)
			complaints := 0
			for _, c := range cast {
				said, wrong := w.walk(t, o, r, c)
				fmt.Fprintf(&grid, " %-4s", said)
				if complaints += len(wrong); len(wrong) > 0 && complaints < 4 {
					t.Errorf("%s (%s %s), asked by %s (%s):\n%s", name, o.method, o.path, c.tag, c.about, strings.Join(wrong, "\n"))
				}
			}
			grid.WriteByte('\n')
		}
	}
	for op := range rows {
		t.Errorf("walk_rows_test.go has a row for %s, which is no operation", op)
	}
	if flag.Lookup("update").Value.String() == "true" && !t.Failed() {
		if err := os.WriteFile(walkFile, []byte(strings.ReplaceAll(grid.String(), " \n", "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, _ := os.ReadFile(walkFile)
	if diff := cmp.Diff(string(want), strings.ReplaceAll(grid.String(), " \n", "\n")); diff != "" {
		t.Errorf("who may call what changed (- golden, + now); if that is meant, run: go test ./internal/httpapi -run Grid -update\n%s", diff)
	}
}

// walk makes the request of a row as one of the cast and gives the word for the
// answer, which must be what the policy says, and what is wrong.
func (w *world) walk(t *testing.T, o found, r row, c caster) (got string, wrong []string) {
	t.Helper()
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	a := w.actor(t, c)
	want := r.expect(w, a)
	values := w.values()
	for k, v := range r.with {
		values[k] = v
	}
	if r.before != nil {
		r.before(t, w, c)
	}
	status, p := w.ask(t, o, r, c, values, r.body)
	if got = word(status, p); r.public {
		got = "yes"
	}
	switch {
	case status == http.StatusInternalServerError:
		say("500")
	case got == "yes" && status == http.StatusBadRequest && r.passes != status:
		say("the request of the row is wrong: %s %s", p.Field, p.Detail)
	case got == "yes" && status == http.StatusNotFound && want == "404":
		say("not found, in other words than for what they may not know of, which tells the two apart: %q. Use authz.Check and authz.Missing", p.Detail)
	case got != want:
		say("%s, and the policy says %s for the right of the row (status %d, %q)", got, want, status, p.Detail)
	case want != "404" && (want != "403" || !r.barred(w, a)):
		return got, wrong
	}
	// Nothing may tell apart what is not there and what they may not know of.
	for _, part := range parts(o.path) {
		other := map[string]string{}
		for k, v := range values {
			other[k] = v
		}
		switch v := values[part]; {
		case berth.IsID(v):
			other[part] = newID()
		case strings.Trim(v, "0123456789") == "":
			other[part] = "7"
		default:
			other[part] = "nosuch"
		}
		s, q := w.ask(t, o, r, c, other, r.body)
		if s != status || neutral(q, other[part]) != neutral(p, values[part]) {
			say("with another {%s} that is not there %d %q, with the real one %d %q: the answer tells that there is one; use authz.Missing", part, s, q.Detail, status, p.Detail)
		}
	}
	if r.twin != "" {
		if s, q := w.ask(t, o, r, c, values, r.twin); s != status || word(s, q) != got {
			say("what is not there is answered %d %q, what is there %d %q", s, q.Detail, status, p.Detail)
		}
	}
	return got, wrong
}

// expect is the word for the answer that the policy says.
func (r row) expect(w *world, a authz.Actor) string {
	var err error
	switch {
	case r.public:
	case r.anyone:
		if a.Anonymous() {
			return "401"
		}
	case r.lists != "":
		_, err = authz.List(a, r.lists)
	case r.on != nil:
		err = authz.Check(a, r.needs, r.on(w, a), "it")
	default:
		return "a row that names no right"
	}
	for _, also := range r.and {
		if err == nil && !authz.Can(a, also.needs, also.on(w, a)) {
			return "403"
		}
	}
	for code, word := range map[berth.Code]string{berth.Unauthenticated: "401", berth.Forbidden: "403", berth.NotFound: "404"} {
		if errors.Is(err, code) {
			if r.openly && word == "404" {
				return "403"
			}
			return word
		}
	}
	return "yes"
}

// barred tells whether the caller is refused by their token, and may not read
// the thing.
func (r row) barred(w *world, a authz.Actor) bool {
	if r.on == nil {
		return false
	}
	on := r.on(w, a)
	return authz.Barred(a, r.needs, on.Kind) != nil && !authz.Can(a, authz.Read, on)
}

// word sums an answer up. Those who may are also told that there is no such
// thing, in other words.
func word(status int, p api.Problem) string {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden,
		status == http.StatusNotFound && strings.Contains(p.Detail, "ask its owner whether you have access"):
		return fmt.Sprint(status)
	default:
		return "yes"
	}
}

func neutral(p api.Problem, value string) string {
	return p.Code + p.Field + strings.ReplaceAll(p.Detail, value, "X")
}

// parts are the names in braces of a path.
func parts(path string) (names []string) {
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "{") {
			names = append(names, strings.Trim(part, "{}"))
		}
	}
	return names
}

// ask makes a request and gives its status, and its problem if there is one.
func (w *world) ask(t *testing.T, o found, r row, c caster, values map[string]string, body string) (int, api.Problem) {
	t.Helper()
	var pairs []string
	for k, v := range values {
		pairs = append(pairs, "{"+k+"}", v)
	}
	fill := strings.NewReplacer(pairs...)
	path := fill.Replace(o.path)
	if strings.Contains(path, "{") {
		t.Fatalf("the walk knows no value for %s: add one to world.values, or to the row's with", path)
	}
	if r.query != "" {
		path += "?" + fill.Replace(r.query)
	}
	req, err := http.NewRequestWithContext(t.Context(), o.method, w.s.URL+api.Prefix+path, strings.NewReader(fill.Replace(body)))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
		if r.media != "" {
			req.Header.Set("Content-Type", r.media)
		}
	}
	if token := w.token(t, c); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := walker.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() // of a stream too: nothing more of it is wanted
	var p api.Problem
	if res.StatusCode < 400 && c.tag != "else" || strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		return res.StatusCode, p
	}
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode >= 400 {
		if err := json.Unmarshal(answer, &p); err != nil {
			t.Errorf("%s %s: %d without a problem: %v", o.method, path, res.StatusCode, err)
		}
	}
	if c.tag == "else" {
		for _, secret := range w.inside() {
			if strings.Contains(string(answer), secret) && !strings.Contains(path+fill.Replace(body), secret) {
				t.Errorf("%s %s tells a member of another organization of %s:\n%s", o.method, path, secret, answer)
			}
		}
	}
	return res.StatusCode, p
}

// walker follows no redirects: where a page sends somebody is its answer.
var walker = &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
