package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

const (
	// maxIdentity bounds an identity on the wire.
	maxIdentity = 8 << 20
	// identityPatience is how long the start waits for the identity.
	identityPatience = 20 * time.Second
)

// putIdentity takes whose workspace this is and what it acts with, from the
// relay. It is answered once that is in effect for what starts from then on.
func (a *agent) putIdentity(w http.ResponseWriter, r *http.Request) {
	var id api.Identity
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxIdentity)).Decode(&id); err != nil {
		http.Error(w, "an identity that is not JSON", http.StatusBadRequest)
		return
	}
	a.applying.Lock()
	defer a.applying.Unlock()
	a.troubles = a.apply(&id)
	if a.identifyOver { // its troubles belong to no step
		for _, t := range a.troubles {
			a.lines.add("warn", "", identitySource, t)
		}
	}
	select {
	case <-a.identified:
	default:
		close(a.identified)
	}
	w.WriteHeader(http.StatusNoContent)
}

// identitySource is the source of the log's lines about identities.
const identitySource = "identity"

// apply puts an identity into effect, and gives what did not work, a sentence
// each. Nothing of it can keep the others from taking effect.
func (a *agent) apply(id *api.Identity) (troubles []string) {
	a.lines.hide(hidden(a.config.Token, id))
	a.identity.Store(id)
	env := a.environment()
	for _, s := range id.Secrets {
		if s.Env != "" && !variable.MatchString(s.Env) {
			troubles = append(troubles, fmt.Sprintf("The secret %s is not in the environment: %q cannot be the name of a variable.", s.Name, s.Env))
		}
		if s.File == "" {
			continue
		}
		if err := placeSecret(s.File, []byte(s.Value), env); err != nil {
			troubles = append(troubles, fmt.Sprintf("The secret %s could not be written to %s: %v.", s.Name, s.File, err))
		}
	}
	return troubles
}

// identify is the first step of the start: it waits for the identity and makes
// a git configuration where there is none.
func (a *agent) identify(ctx context.Context, h api.Hook) {
	end := a.steps.begin(h.Kind, h.Name)
	say := func(level, text string) { a.lines.add(level, "start", identitySource, text) }
	m := a.manifest.Load()
	var troubles []string
	if m.Identity {
		select {
		case <-a.identified:
		case <-time.After(a.patience.identity):
			troubles = append(troubles, fmt.Sprintf("The server did not send the owner's credentials within %.0f s: secrets, SSH key and login come once it does, the dotfiles with the next start.", a.patience.identity.Seconds()))
		case <-ctx.Done():
			end(berth.StepFailed, 0, "Interrupted: the workspace stops.")
			return
		}
	}
	a.applying.Lock()
	troubles = append(troubles, a.troubles...)
	a.identifyOver = true
	a.applying.Unlock()
	name, email := cmp.Or(m.OwnerFullName, m.OwnerName), m.OwnerEmail
	if id := a.identity.Load(); id != nil {
		name, email = cmp.Or(id.Name, id.Username, name), cmp.Or(id.Email, email)
		say("info", a.summary(id))
	}
	made, err := makeGitConfig(a.environment(), name, email)
	if err != nil {
		troubles = append(troubles, fmt.Sprintf("~/.gitconfig could not be made: %v.", err))
	}
	if made {
		say("info", fmt.Sprintf("Made ~/.gitconfig for %s <%s>.", name, email))
	}
	for _, t := range troubles {
		say("warn", t)
	}
	if len(troubles) > 0 {
		end(berth.StepWarning, 0, a.lines.cover(strings.Join(troubles, " ")))
		return
	}
	end(berth.StepDone, 0, "")
}

// summary says what an identity brought, without any of it.
func (a *agent) summary(id *api.Identity) string {
	parts := []string{"signed in as " + id.Username}
	if id.Token == "" {
		parts = []string{"not signed in"}
	}
	if id.SSHKey != "" {
		parts = append(parts, "with an SSH key for git")
	}
	if n := len(id.Secrets); n > 0 {
		parts = append(parts, fmt.Sprintf("%d %s", n, map[bool]string{true: "secret", false: "secrets"}[n == 1]))
	}
	return "This workspace is " + strings.Join(parts, ", ") + "."
}
