package httpapi

import (
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/loop"
	"github.com/berthdev/berth/internal/providers"
)

// moment is a time on the wire, nil for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func viewUser(u berth.User) api.User {
	return api.User{
		ID: string(u.ID), Username: u.Username, Email: u.Email, Name: u.Name, Status: string(u.Status),
		Roles:    list(u.Roles, func(r berth.Role) string { return string(r) }),
		Dotfiles: u.Dotfiles, CreatedAt: u.CreatedAt,
		SignIn: string(u.SignIn), MustChangePassword: u.MustChangePassword, SeenAt: moment(u.SeenAt), SuspendedAt: moment(u.SuspendedAt),
	}
}

func viewToken(t berth.Token) api.Token {
	v := api.Token{
		ID: string(t.ID), Name: t.Name, Kind: string(t.Kind), Scopes: list(t.Scopes, func(s string) string { return s }),
		CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsedAt: moment(t.LastUsedAt),
	}
	if t.Kind == berth.TokenLogin {
		v.SignIn = string(t.SignIn)
	}
	return v
}

func viewProvider(v providers.View) api.Provider {
	p := v.Provider
	return api.Provider{
		ID: string(p.ID), Name: p.Name, Default: p.Default, Status: string(v.Status), Reason: v.Reason,
		RelayURL: p.RelayURL, Tags: p.Tags, Runners: v.Runners, Slots: v.Slots, SeenAt: moment(p.SeenAt), CreatedAt: p.CreatedAt,
	}
}

func viewLoop(l *loop.Loop) api.Loop {
	r := l.Report()
	v := api.Loop{Name: r.Name, Every: r.Every.String(), LastRun: moment(r.LastRun), Did: r.Did, Error: r.Error}
	if v.LastRun != nil {
		v.Took = r.Took.Round(time.Microsecond).String()
	}
	return v
}
