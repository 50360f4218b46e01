package client_test

import (
	"encoding/json"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/berthdev/berth/client"
)

// recorder notes the requests that are made and answers none.
type recorder struct {
	mu    sync.Mutex
	calls []string
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, req.Method+" "+strings.TrimPrefix(req.URL.Path, "/api/v1"))
	return nil, http.ErrHandlerTimeout
}

// Every operation of the API has one method, and every method calls one.
func TestOneMethodForEachOperation(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../api/openapi.json")
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	var doc struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	type operation struct {
		id   string
		path *regexp.Regexp
	}
	var operations []operation
	param := regexp.MustCompile(`\\\{[^}]*\\\}`)
	for p, methods := range doc.Paths {
		for m, o := range methods {
			p := strings.TrimPrefix(p, "/api/v1")
			form := param.ReplaceAllString(regexp.QuoteMeta(p), `arg`)
			operations = append(operations, operation{o.OperationID, regexp.MustCompile("^" + strings.ToUpper(m) + " " + form + "$")})
		}
	}
	callers := map[string][]string{}
	for name, calls := range callAll(t) {
		for _, call := range calls {
			// Numbers and made-up ids stand where names do.
			call = regexp.MustCompile(`/builds/0$|(streams)/[^/]*$`).ReplaceAllStringFunc(call, func(s string) string {
				return s[:strings.LastIndex(s, "/")] + "/arg"
			})
			call = strings.Replace(call, "/ports/0/", "/ports/arg/", 1)
			call = strings.Replace(call, "/builds/0/", "/builds/arg/", 1)
			found := false
			for _, o := range operations {
				if o.path.MatchString(call) {
					callers[o.id] = append(callers[o.id], name)
					found = true
				}
			}
			if !found {
				t.Errorf("%s calls %s, which the API does not have", name, call)
			}
		}
	}
	for _, o := range operations {
		if len(callers[o.id]) != 1 {
			t.Errorf("%s (%s) is called by %v, want one method", o.id, o.path, callers[o.id])
		}
	}
}

// callAll calls every method of a Client once and gives what each requested.
func callAll(t *testing.T) map[string][]string {
	t.Helper()
	others := map[string]bool{"URL": true, "Close": true}
	all := map[string][]string{}
	typ := reflect.TypeFor[*client.Client]()
	for i := range typ.NumMethod() {
		m := typ.Method(i)
		if others[m.Name] {
			continue
		}
		rec := &recorder{}
		cl, err := client.New("http://server", "token", client.WithTransport(rec), client.WithRetry(0), client.WithRewatch(0))
		if err != nil {
			t.Fatal(err)
		}
		in := []reflect.Value{reflect.ValueOf(cl), reflect.ValueOf(t.Context())}
		for p := 2; p < m.Type.NumIn(); p++ {
			switch pt := m.Type.In(p); {
			case m.Type.IsVariadic() && p == m.Type.NumIn()-1: // options
			case pt.Kind() == reflect.String && m.Name == "AgentLink":
				in = append(in, reflect.ValueOf(""))
			case pt.Kind() == reflect.String:
				in = append(in, reflect.ValueOf("arg"))
			case pt.Kind() == reflect.Interface:
				in = append(in, reflect.ValueOf(strings.NewReader("")))
			default:
				in = append(in, reflect.Zero(pt))
			}
		}
		for _, out := range m.Func.Call(in) {
			if out.Kind() == reflect.Func { // a watch: it calls when it is ranged over
				out.Call([]reflect.Value{reflect.MakeFunc(out.Type().In(0), func([]reflect.Value) []reflect.Value {
					return []reflect.Value{reflect.ValueOf(false)}
				})})
			}
		}
		if len(rec.calls) == 0 {
			t.Errorf("%s calls nothing", m.Name)
		}
		all[m.Name] = rec.calls[:min(1, len(rec.calls))]
	}
	return all
}
