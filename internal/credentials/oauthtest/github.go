package oauthtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// GitHub is an account there, as the API tells of it.
type GitHub struct {
	ID            int64
	Login         string
	Email         string
	Unverified    bool
	Organizations []string
	Pending       []string // organizations that have only invited
	Teams         []string // ORGANIZATION/TEAM
	Status        int      // of all answers of the API; 0: 200
}

type object = map[string]any

// gitHub adds the paths of a GitHub Enterprise Server.
func (s *Server) gitHub(mux *http.ServeMux) {
	mux.HandleFunc("GET /login/oauth/authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		q.Set("tenant", "1")
		r.URL = &url.URL{Path: r.URL.Path, RawQuery: q.Encode()}
		s.authorize(w, r)
	})
	mux.HandleFunc("POST /login/oauth/access_token", s.token)
	api := func(path string, answer func(g GitHub) any) {
		mux.HandleFunc("GET /api/v3"+path, func(w http.ResponseWriter, r *http.Request) {
			token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			switch {
			case s.access[token] == "":
				w.WriteHeader(http.StatusUnauthorized)
				return
			case s.set.GitHub.Status != 0:
				w.WriteHeader(s.set.GitHub.Status)
				return
			}
			all := answer(s.set.GitHub)
			if list, ok := all.([]object); ok {
				all = page(list, r.URL.Query())
			}
			_ = json.NewEncoder(w).Encode(all)
		})
	}
	api("/user", func(g GitHub) any { return object{"id": g.ID, "login": g.Login, "name": nil, "email": nil} })
	api("/user/emails", func(g GitHub) any {
		return []object{{"email": "old@example.net", "primary": false, "verified": true}, {"email": g.Email, "primary": true, "verified": !g.Unverified}}
	})
	api("/user/memberships/orgs", func(g GitHub) any {
		list := []object{}
		for _, o := range g.Organizations {
			list = append(list, object{"state": "active", "organization": object{"login": o}})
		}
		for _, o := range g.Pending {
			list = append(list, object{"state": "pending", "organization": object{"login": o}})
		}
		return list
	})
	api("/user/teams", func(g GitHub) any {
		list := []object{}
		for _, t := range g.Teams {
			o, slug, _ := strings.Cut(t, "/")
			list = append(list, object{"slug": slug, "organization": object{"login": o}})
		}
		return list
	})
}

// page cuts a list as the API does.
func page(list []object, q url.Values) []object {
	size, number := 30, 1
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil {
		size = n
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil {
		number = n
	}
	from := min((number-1)*size, len(list))
	return list[from:min(from+size, len(list))]
}
