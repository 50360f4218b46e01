package cli

import (
	"strings"
	"testing"

	"github.com/berthdev/berth/api"
)

// That an agent does not tell its use is news only where it is linked; else show
// says what is wrong with it.
func TestShowOfUnknownUse(t *testing.T) {
	t.Parallel()
	for status, says := range map[string]bool{"connected": true, "connecting": false, "timeout": false} {
		f := newFake(t)
		w := web()
		w.Activity, w.Agents[0].Status = &api.Activity{}, status
		f.answer("GET /users/me/workspaces/web", w)
		f.answer("GET /workspaces/"+w.ID+"/activity", api.AskedActivity{})
		if _, errs, code := f.run(t, "show", "web"); code != 0 || strings.Contains(errs, "what it is used for") != says {
			t.Errorf("%s: %d %s", status, code, errs)
		}
	}
}
