package api

import "time"

// Version tells what a server is. GET /version
type Version struct {
	Version       string `json:"version"`
	API           string `json:"api" doc:"v1"`
	AccessURL     string `json:"access_url"`
	Database      string `json:"database" doc:"sqlite or postgres"`
	SetupRequired bool   `json:"setup_required" doc:"True until the first user exists"`
}

type User struct {
	ID        string    `json:"id"`
	Username  string    `json:"username"`
	Email     string    `json:"email"`
	Name      string    `json:"name,omitempty"`
	Status    string    `json:"status" enum:"active,dormant,suspended"`
	Roles     []string  `json:"roles"`
	Dotfiles  string    `json:"dotfiles,omitempty" doc:"URI of their dotfiles repository"`
	CreatedAt time.Time `json:"created_at"`

	SignIn             string             `json:"sign_in" doc:"password, none (by tokens alone), or the id of an identity provider"`
	MustChangePassword bool               `json:"must_change_password,omitempty" doc:"What they sign in to by password can do nothing before they have changed it"`
	SeenAt             *time.Time         `json:"seen_at,omitempty" doc:"When they used the server last, to some minutes"`
	SuspendedAt        *time.Time         `json:"suspended_at,omitempty"`
	Organizations      []UserOrganization `json:"organizations,omitempty" doc:"What they are a member of; only where one user is shown"`
}

// UserOrganization is that a user is a member of an organization.
type UserOrganization struct {
	Name  string   `json:"name"`
	Roles []string `json:"roles"`
}

// FirstUser makes the first user, who is owner of the site. POST /users/first
type FirstUser struct {
	Username string `json:"username"`
	Email    string `json:"email"`
	Name     string `json:"name,omitempty"`
	Password string `json:"password"`
}

// Login signs in by password. POST /login
type Login struct {
	Username string `json:"username" doc:"Or e-mail address"`
	Password string `json:"password"`
	Cookie   bool   `json:"cookie,omitempty" doc:"Set the login cookie (browsers) and leave the token out of the answer"`
}

type LoggedIn struct {
	Token     string    `json:"token,omitempty"`
	ExpiresAt time.Time `json:"expires_at"`
	User      User      `json:"user"`

	MustChangePassword bool `json:"must_change_password,omitempty" doc:"The token is good for one thing: PUT /users/me/password"`
}

type Token struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Kind       string     `json:"kind" enum:"login,api,workspace"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  time.Time  `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty"`
	Scopes     []string   `json:"scopes" doc:"What it may do at most"`
	SignIn     string     `json:"sign_in,omitempty" doc:"Of a login: how it was made"`
}

// CreateToken: POST /tokens
type CreateToken struct {
	Name     string `json:"name"`
	Lifetime int    `json:"lifetime_seconds,omitempty" doc:"0: 7 days"`

	Scopes []string `json:"scopes,omitempty" doc:"all, read, connect, or KIND:ACTION such as workspace:start, of which one may be *; several add up. None: what the token of the request carries"`
	User   string   `json:"user,omitempty" doc:"Username or id of who it is for: owners of the site make tokens for others"`
}

type CreatedToken struct {
	Token
	Secret string `json:"token" doc:"Shown once"`
}

// Provider is a workspace provider.
type Provider struct {
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	Default   bool              `json:"default"`
	Status    string            `json:"status" enum:"pending,ready,error"`
	Reason    string            `json:"reason,omitempty" doc:"Why it is not ready"`
	RelayURL  string            `json:"relay_url,omitempty"`
	Tags      map[string]string `json:"tags,omitempty" doc:"What templates may ask for"`
	Runners   int               `json:"runners"`
	Slots     int               `json:"slots"`
	SeenAt    *time.Time        `json:"seen_at,omitempty"`
	CreatedAt time.Time         `json:"created_at"`
}

// Loop is the state of one background loop. GET /loops
type Loop struct {
	Name    string     `json:"name"`
	Every   string     `json:"every"`
	LastRun *time.Time `json:"last_run,omitempty"`
	Took    string     `json:"took,omitempty"`
	Did     string     `json:"did,omitempty" doc:"What the last run that did something did"`
	Error   string     `json:"error,omitempty"`
}
