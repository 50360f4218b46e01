package api

import "time"

// Preferences change what you decide of yourself; what is left out stays.
// PATCH /users/me
type Preferences struct {
	Dotfiles *string `json:"dotfiles,omitempty" doc:"URI of your dotfiles repository; empty: none"`
}

// SSHKey is the public half of the key pair that your workspaces act with.
type SSHKey struct {
	PublicKey   string    `json:"public_key" doc:"As in authorized_keys"`
	Fingerprint string    `json:"fingerprint"`
	CreatedAt   time.Time `json:"created_at"`
}

// Secret is a value that you have in all your workspaces. The value is never
// answered.
type Secret struct {
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Env         string    `json:"env,omitempty" doc:"Variable that holds it"`
	File        string    `json:"file,omitempty" doc:"File that holds it; begins with ~/ or /"`
	Disabled    bool      `json:"disabled" doc:"Kept, but given to no workspace"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// PutSecret makes a secret or changes one; what is left out stays.
// PUT /secrets/{secret}
type PutSecret struct {
	Description *string `json:"description,omitempty"`
	Env         *string `json:"env,omitempty"`
	File        *string `json:"file,omitempty"`
	Value       *string `json:"value,omitempty" doc:"At most 64 KiB; a new secret needs one"`
	Disabled    *bool   `json:"disabled,omitempty"`
}

// ExternalAuth is an external service at which you can sign in, and whether
// you have.
type ExternalAuth struct {
	ID        string     `json:"id"`
	Type      string     `json:"type"`
	Name      string     `json:"name"`
	SignIn    string     `json:"sign_in" doc:"URL for your browser"`
	Linked    bool       `json:"linked"`
	Account   string     `json:"account,omitempty" doc:"Your name there, where it says so"`
	Scopes    string     `json:"scopes,omitempty"`
	Refused   string     `json:"refused,omitempty" doc:"Why the sign-in does not work any more"`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Of the access token; it is refreshed by itself where the service does that"`
	LinkedAt  *time.Time `json:"linked_at,omitempty"`
}

// BegunExternal is a sign-in that a command line began. POST /external-auth/{external}/begin
type BegunExternal struct {
	Attempt   string    `json:"attempt"`
	URL       string    `json:"url" doc:"To open in your browser, which shows a code in the end"`
	ExpiresAt time.Time `json:"expires_at"`
}

// FinishExternal ends it. POST /external-auth/{external}/finish
type FinishExternal struct {
	Attempt string `json:"attempt"`
	Code    string `json:"code" doc:"That the browser shows"`
}

// ExternalToken is good for the external service. It is a secret.
// GET /external-auth/{external}/token
type ExternalToken struct {
	ID          string         `json:"id"`
	AccessToken string         `json:"access_token"`
	TokenType   string         `json:"token_type"`
	Username    string         `json:"username" doc:"For git over HTTPS, beside the token as password"`
	ExpiresAt   *time.Time     `json:"expires_at,omitempty"`
	TokenExtra  map[string]any `json:"token_extra,omitempty" doc:"What else the service answered"`
}

// ExternalMatch is the external service for a repository. GET /external-auth/match
type ExternalMatch struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Name     string `json:"name"`
	Username string `json:"username" doc:"For git over HTTPS"`
	SignIn   string `json:"sign_in" doc:"URL for a browser"`
}

// RevokedExternal tells whether the service knows. DELETE /external-auth/{external}
type RevokedExternal struct {
	Told bool `json:"told" doc:"The service was told; else its tokens are good there until they expire, or until you end them there"`
}
