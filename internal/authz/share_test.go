package authz_test

import (
	"testing"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
)

func TestMayOpen(t *testing.T) {
	t.Parallel()
	const home, away = berth.OrganizationID("home"), berth.OrganizationID("away")
	user := func(id string, org berth.OrganizationID, roles ...berth.Role) authz.Actor {
		return authz.User(authz.Who{User: berth.User{ID: berth.UserID(id), Username: id, Roles: roles}}.In(org), authz.ScopeAll)
	}
	workspace := authz.OfWorkspace("ana", home)
	who := map[string]authz.Actor{
		"nobody": {}, "ana": user("ana", home), "a colleague": user("bob", home), "a stranger": user("eve", away),
		"the site's owner": user("root", away, berth.RoleOwner), "a template admin": user("tam", away, berth.RoleTemplateAdmin),
	}
	may := map[berth.Share][]string{
		berth.ShareOwner:         {"ana", "the site's owner"},
		"":                       {"ana", "the site's owner"},
		"nonsense":               {"ana", "the site's owner"},
		berth.ShareOrganization:  {"ana", "the site's owner", "a colleague"},
		berth.ShareAuthenticated: {"ana", "the site's owner", "a colleague", "a stranger", "a template admin"},
		berth.SharePublic:        {"ana", "the site's owner", "a colleague", "a stranger", "a template admin", "nobody"},
	}
	for level, list := range may {
		for name, actor := range who {
			want := false
			for _, n := range list {
				want = want || n == name
			}
			if got := authz.MayOpen(actor, level, workspace); got != want {
				t.Errorf("%s opens an app at level %q: %v", name, level, got)
			}
		}
	}
}
