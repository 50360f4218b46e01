package credentials

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

// Kept refuses, with how to make it, when a user lacks a secret in need. It opens
// none.
func (s *Service) Kept(q *store.Query, u berth.UserID, need []berth.SecretNeed) error {
	if !slices.ContainsFunc(need, func(n berth.SecretNeed) bool { return !n.Optional }) {
		return nil
	}
	has, err := q.Secrets(u)
	if err != nil {
		return err
	}
	for _, n := range need {
		i := slices.IndexFunc(has, func(v berth.Secret) bool { return fills(v, n) })
		switch {
		case n.Optional:
		case i < 0:
			return berth.Errorf(berth.Conflict, "the template needs a secret of the owner that is %s in workspaces: %s; make it with berth secrets set NAME %s",
				n.Place(), strings.TrimRight(n.Help, "."), flagOf(n))
		case has[i].Disabled:
			return berth.Errorf(berth.Conflict, "the template needs the secret %s of the owner, which is disabled: berth secrets enable %s", has[i].Name, has[i].Name)
		}
	}
	return nil
}

func flagOf(n berth.SecretNeed) string {
	if n.Env != "" {
		return "--env " + n.Env
	}
	return "--file \"" + n.File + "\""
}

// fills tells whether a secret is where it is needed.
func fills(v berth.Secret, n berth.SecretNeed) bool {
	return n.Env != "" && v.Env == n.Env || n.File != "" && v.File == n.File
}

// secretEnv puts the values of the secrets in need into what plugins are told.
func (s *Service) secretEnv(q *store.Query, u berth.UserID, need []berth.SecretNeed, env map[string]string) error {
	if len(need) == 0 {
		return nil
	}
	values, err := s.values(q, u)
	if err != nil {
		return err
	}
	for _, n := range need {
		for _, v := range values {
			switch {
			case !fills(v.Secret, n):
			case n.Env != "":
				env["CODER_SECRET_ENV_"+n.Env] = v.Value
			default:
				env["CODER_SECRET_FILE_"+hex.EncodeToString([]byte(n.File))] = v.Value
			}
		}
	}
	return nil
}
