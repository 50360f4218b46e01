package client

import (
	"context"
	"net/http"

	"github.com/berthdev/berth/api"
)

// SetPreferences changes what the caller decides of themselves.
func (c *Client) SetPreferences(ctx context.Context, in api.Preferences) (api.User, error) {
	return call[api.Preferences, api.User](ctx, c, http.MethodPatch, "/users/me", in)
}

// SSHKey is the public key that the caller's workspaces act with.
func (c *Client) SSHKey(ctx context.Context) (api.SSHKey, error) {
	return get[api.SSHKey](ctx, c, "/ssh-key")
}

// RegenerateSSHKey makes the caller a new key pair.
func (c *Client) RegenerateSSHKey(ctx context.Context) (api.SSHKey, error) {
	return post[nothing, api.SSHKey](ctx, c, "/ssh-key/regenerate", nothing{})
}

// Secrets lists the caller's secrets, without their values.
func (c *Client) Secrets(ctx context.Context) (api.Page[api.Secret], error) {
	return get[api.Page[api.Secret]](ctx, c, "/secrets")
}

// PutSecret makes a secret or changes one.
func (c *Client) PutSecret(ctx context.Context, name string, in api.PutSecret) (api.Secret, error) {
	return call[api.PutSecret, api.Secret](ctx, c, http.MethodPut, path("secrets", name), in)
}

// RemoveSecret removes a secret.
func (c *Client) RemoveSecret(ctx context.Context, name string) error {
	_, err := call[nothing, nothing](ctx, c, http.MethodDelete, path("secrets", name), nothing{})
	return err
}

// ExternalAuths lists the external services, and where the caller is signed in.
func (c *Client) ExternalAuths(ctx context.Context) (api.Page[api.ExternalAuth], error) {
	return get[api.Page[api.ExternalAuth]](ctx, c, "/external-auth")
}

// MatchExternal finds the external service for a repository.
func (c *Client) MatchExternal(ctx context.Context, repository string) (api.ExternalMatch, error) {
	return get[api.ExternalMatch](ctx, c, query("/external-auth/match", "url", repository))
}

// BeginExternal begins to sign in to an external service.
func (c *Client) BeginExternal(ctx context.Context, id string) (api.BegunExternal, error) {
	return post[nothing, api.BegunExternal](ctx, c, path("external-auth", id, "begin"), nothing{})
}

// FinishExternal ends that with the code that the browser shows.
func (c *Client) FinishExternal(ctx context.Context, id string, in api.FinishExternal) error {
	return tell(ctx, c, path("external-auth", id, "finish"), in)
}

// ExternalToken is a token of the caller for an external service. It is a secret.
func (c *Client) ExternalToken(ctx context.Context, id string) (api.ExternalToken, error) {
	return get[api.ExternalToken](ctx, c, path("external-auth", id, "token"))
}

// RevokeExternal signs out of an external service.
func (c *Client) RevokeExternal(ctx context.Context, id string) (api.RevokedExternal, error) {
	return call[nothing, api.RevokedExternal](ctx, c, http.MethodDelete, path("external-auth", id), nothing{})
}
