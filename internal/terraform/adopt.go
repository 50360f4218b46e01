package terraform

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// What was cut may be made a moment later all the same, by the service that was
// asked for it.
const (
	lateness = 2 * time.Minute // until then it is looked for again by the next build
	patience = 3 * time.Second // how long a build waits for it to appear
)

// late tells whether a change that was not found may still be made.
func (l lost) late() bool { return time.Since(l.At) < lateness }

// adopt looks for what builds before this one may have made, and has terraform
// import what is there. Only objects that carry the id of the workspace are
// taken: others may be somebody else's. What is not found for certain is looked
// for by the next build too, until the state has an object of its address.
func (r *run) adopt(ctx context.Context) error {
	if f, err := parseState(r.State); err == nil {
		r.lost = slices.DeleteFunc(r.lost, func(l lost) bool { return l.in(f.addresses()) })
	}
	for _, l := range r.lost {
		found, why := r.importLost(ctx, l)
		switch {
		case ctx.Err() != nil:
			return canceled(ctx)
		case found:
			r.say("info", l.Addresses[0]+" was made by a build that was cut; it is in the state now.")
		case why == "" && l.late():
			r.say("info", l.say()+". It is not there yet.")
			continue
		case why == "":
			r.say("info", l.say()+". It was not made.")
		default:
			r.say("warn", l.say()+". It may be left behind: "+why+".")
			continue
		}
		r.lost = slices.DeleteFunc(slices.Clone(r.lost), func(o lost) bool { return slices.Equal(o.Addresses, l.Addresses) && o.Type == l.Type })
	}
	if err := writeLost(r.dir.path, r.lost); err != nil {
		return fmt.Errorf("noting what is still to be found: %w", err)
	}
	return r.takeState()
}

// takeState makes the state that an import has written the one to begin from.
func (r *run) takeState() error {
	state, lineage, serial := r.dir.newest()
	if state == nil || len(r.State) > 0 && lineage == r.watcher.lineage && serial == r.watcher.serial {
		return nil
	}
	r.State = state
	r.watcher.offer(lineage, serial, state)
	return nil
}

// importLost imports one object. Without a reason why not, it does not exist.
func (r *run) importLost(ctx context.Context, l lost) (found bool, why string) {
	if len(l.Addresses) != 1 {
		return false, "it is not known which of these it is"
	}
	workspace := r.Env["CODER_WORKSPACE_ID"]
	if text, _ := json.Marshal(l.Known); workspace == "" || !bytes.Contains(text, []byte(workspace)) {
		return false, "it does not carry the id of the workspace, so it cannot be told from others"
	}
	find := func() (string, string) { return r.importID(ctx, l, workspace) }
	id, why := find()
	for until := time.Now().Add(patience); id == "" && why == "" && l.late() && ctx.Err() == nil && time.Now().Before(until); {
		time.Sleep(patience / 10)
		id, why = find()
	}
	if id == "" {
		return false, why
	}
	o := r.Options
	// What stands only while the workspace runs is not in the configuration else.
	o.Env = map[string]string{}
	for name, value := range r.Env {
		o.Env[name] = value
	}
	o.Env["CODER_WORKSPACE_TRANSITION"] = "start"
	var said bytes.Buffer
	c := r.call("import", "-input=false", "-no-color", "-var-file="+filepath.Join(r.dir.path, "variables.tfvars.json"), l.Addresses[0], id)
	c.env = environ(r.dir.path, o)
	hear := func(line []byte) { said.Write(append(line, '\n')) }
	c.stdout, c.stderr = hear, hear
	switch err := c.run(ctx); {
	case err == nil:
		return true, ""
	case strings.Contains(said.String(), "non-existent remote object"):
		return false, ""
	default:
		r.sink.Log(berth.Log{At: time.Now(), Level: "debug", Stage: "plan", Source: "terraform", Text: said.String()})
		return false, "it cannot be imported, as the build's log says"
	}
}

const notOurs = "what has its name does not carry the id of the workspace, so it may be somebody else's"

// importID is by what terraform imports an object; empty with a reason, or
// without one where it does not exist. That the object was to carry the id of the
// workspace proves nothing of what has its name now.
func (r *run) importID(ctx context.Context, l lost, workspace string) (id, why string) {
	text := func(name string) (value string) {
		_ = json.Unmarshal(l.Known[name], &value)
		return value
	}
	named := func(id string) (string, string) {
		if !strings.Contains(id, workspace) {
			return "", notOurs
		}
		return id, ""
	}
	if id = text("id"); id != "" {
		return named(id)
	}
	if name, kind := text("name"), dockerKinds[l.Type]; name != "" && kind != "" {
		return r.dockerID(ctx, kind, name, workspace)
	}
	if byName[l.Type] {
		return text("name"), ""
	}
	var meta []struct {
		Name, Namespace string
	}
	if strings.HasPrefix(l.Type, "kubernetes_") && json.Unmarshal(l.Known["metadata"], &meta) == nil && len(meta) == 1 && meta[0].Name != "" {
		if meta[0].Namespace == "" {
			return named(meta[0].Name)
		}
		return named(meta[0].Namespace + "/" + meta[0].Name)
	}
	return "", "nothing of what is known of it tells it from others of its type"
}

// byName are types of which the name is the id, and whose objects nobody else can
// have made. Of the plugins that we know none has one; a test's has.
var byName = map[string]bool{}

// dockerKinds are the types that Docker is asked for by name, and where.
var dockerKinds = map[string]string{"docker_container": "containers", "docker_network": "networks", "docker_volume": "volumes"}

// dockerID asks Docker on its socket for the id of a named object of the
// workspace.
func (r *run) dockerID(ctx context.Context, kind, name, workspace string) (id, why string) {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	socket := "/var/run/docker.sock"
	for _, kv := range environ(r.dir.path, r.Options) {
		if host, ok := strings.CutPrefix(kv, "DOCKER_HOST="); ok && host != "" {
			if socket, ok = strings.CutPrefix(host, "unix://"); !ok {
				return "", "Docker is at " + host + ", where only its plugin can ask for it"
			}
		}
	}
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
	path := "/" + kind + "/" + url.PathEscape(name)
	if kind == "containers" {
		path += "/json"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker"+path, nil)
	if err != nil {
		return "", err.Error()
	}
	response, err := client.Do(request)
	if err != nil {
		var e *url.Error
		if errors.As(err, &e) {
			err = e.Err
		}
		return "", fmt.Sprintf("Docker does not answer (%v)", err)
	}
	defer response.Body.Close()
	var found struct {
		ID   string `json:"Id"`
		Name string // the id of a volume
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	switch {
	case response.StatusCode == http.StatusNotFound:
		return "", ""
	case err != nil || response.StatusCode != http.StatusOK || json.Unmarshal(body, &found) != nil:
		return "", "Docker answers " + response.Status
	case !bytes.Contains(body, []byte(workspace)):
		return "", notOurs
	}
	return cmp.Or(found.ID, found.Name), ""
}

// maxAnswer bounds what Docker says of one object, in bytes.
const maxAnswer = 4 << 20
