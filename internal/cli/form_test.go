package cli

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// serveForm is a version that asks for a repository, then for the size of what is
// made of it, and has a theme.
func (f *fake) serveForm() {
	questions := []berth.Parameter{
		{Name: "repo", Type: "string", Required: true, DisplayName: "Repository"},
		{Name: "size", Type: "string", Required: true, Options: []berth.ParameterOption{{Name: "Small", Value: "s"}, {Name: "Large", Value: "l"}}},
		{Name: "theme", Type: "string", Default: "dark"},
	}
	f.mux.HandleFunc("POST "+api.Prefix+"/organizations/default/templates/docker/versions/active/parameters", func(w http.ResponseWriter, r *http.Request) {
		var in api.AskParameters
		json.NewDecoder(r.Body).Decode(&in)
		var out berth.Form
		for _, p := range questions {
			if _, ready := in.Parameters["repo"]; p.Name == "size" && !ready {
				continue
			}
			q := berth.Question{Parameter: p, Value: p.Default, Source: berth.FromDefault}
			if p.Required {
				q.Source, q.Problem = berth.FromNowhere, "a value is needed"
			}
			if v, ok := in.Parameters[p.Name]; ok {
				q.Value, q.Source, q.Problem = v, berth.FromAnswer, ""
				if len(p.Options) > 0 && !slices.ContainsFunc(p.Options, func(o berth.ParameterOption) bool { return o.Value == v }) {
					q.Problem = "it is not one of the options"
				}
			}
			out.Questions = append(out.Questions, q)
		}
		for name := range in.Parameters {
			if !slices.ContainsFunc(questions, func(p berth.Parameter) bool { return p.Name == name }) {
				out.Unknown = append(out.Unknown, name)
			}
		}
		respond(w, out)
	})
}

func TestAnswersOfElsewhere(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	b, ended := building("start", "succeeded", "")
	w := web()
	w.Build = b
	old := w
	old.Build.Parameters = map[string]string{"repo": "r", "size": "gone", "removed": "x", "theme": "light"}
	f.answer("GET /users/me/workspaces/old", old)
	f.answer("GET /organizations/default/templates/docker/last-parameters", api.LastParameters{Parameters: map[string]string{"repo": "last"}})
	f.serveForm()
	f.answer("POST /workspaces", w)
	f.events("GET /builds/"+b.ID+"/events", "build", ended)
	for _, c := range []struct{ flags, want, says string }{
		{"--copy-parameters-from old --parameter size=s", `"parameters":{"repo":"r","size":"s","theme":"light"},"preset":"none"`, "removed"},
		{"--copy-parameters-from old", `"parameters":{"repo":"r","theme":"light"},"preset":"none"`, "size"},
		{"--use-last --parameter theme=x", `"parameters":{"repo":"last","theme":"x"},"preset":"none"`, ""},
		{"--parameter-default repo=d --parameter-default size=l --parameter-default nosuch=1", `"parameters":{"repo":"d","size":"l"}`, ""},
	} {
		before := len(f.requests())
		_, stderr, code := f.run(t, append([]string{"create", "web", "-t", "docker"}, strings.Fields(c.flags)...)...)
		asked := strings.Join(f.requests()[before:], "\n")
		if code != 0 || !strings.Contains(asked, c.want) || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: exit %d, %s\n%s", c.flags, code, stderr, asked)
		}
	}
	if _, stderr, code := f.run(t, "create", "web", "-t", "docker", "--use-last", "--copy-parameters-from", "old"); code != 2 {
		t.Errorf("both: exit %d, %s", code, stderr)
	}
}
