package agent

import (
	"net/http"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// credentialRoutes offers what git in the workspace needs, to its own user.
func (a *agent) credentialRoutes() {
	a.local.HandleFunc("GET /ssh-key", func(w http.ResponseWriter, _ *http.Request) {
		key, err := a.sshKey()
		reply(w, key, err)
	})
}

func (a *agent) sshKey() (api.LocalKey, error) {
	id := a.identity.Load()
	switch {
	case id == nil:
		return api.LocalKey{}, berth.Errorf(berth.Unavailable, "the server has not sent your credentials yet")
	case id.SSHKey == "":
		return api.LocalKey{}, berth.Errorf(berth.NotFound, "you have no SSH key")
	}
	return api.LocalKey{Private: id.SSHKey, Public: id.SSHPub}, nil
}
