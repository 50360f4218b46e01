package httpapi

import (
	"context"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
	"github.com/berthdev/berth/internal/accounts"
	"github.com/berthdev/berth/internal/credentials"
)

type preferencesInput struct{ Body api.Preferences }

func (h *handlers) setPreferences(ctx context.Context, in *preferencesInput) (*body[api.User], error) {
	u, err := h.Accounts.SetPreferences(ctx, actorOf(ctx), accounts.Preferences{Dotfiles: in.Body.Dotfiles})
	return answered(viewUser(u), err)
}

func (h *handlers) sshKey(ctx context.Context, _ *struct{}) (*body[api.SSHKey], error) {
	k, err := h.Credentials.SSHKey(ctx, actorOf(ctx))
	return answered(viewSSHKey(k), err)
}

func (h *handlers) regenerateSSHKey(ctx context.Context, _ *struct{}) (*body[api.SSHKey], error) {
	k, err := h.Credentials.RegenerateSSHKey(ctx, actorOf(ctx))
	return answered(viewSSHKey(k), err)
}

func (h *handlers) listSecrets(ctx context.Context, _ *struct{}) (*body[api.Page[api.Secret]], error) {
	secrets, err := h.Credentials.Secrets(ctx, actorOf(ctx))
	return answered(api.Page[api.Secret]{Items: list(secrets, viewSecret)}, err)
}

type SecretInput struct {
	Secret string `path:"secret" doc:"Name"`
}

type putSecretInput struct {
	SecretInput
	Body api.PutSecret
}

func (h *handlers) putSecret(ctx context.Context, in *putSecretInput) (*body[api.Secret], error) {
	s, err := h.Credentials.PutSecret(ctx, actorOf(ctx), credentials.SecretInput{
		Name: in.Secret, Description: in.Body.Description, Env: in.Body.Env, File: in.Body.File, Value: in.Body.Value, Disabled: in.Body.Disabled,
	})
	return answered(viewSecret(s), err)
}

func (h *handlers) removeSecret(ctx context.Context, in *SecretInput) (*struct{}, error) {
	return nil, h.Credentials.RemoveSecret(ctx, actorOf(ctx), in.Secret)
}

func viewSSHKey(k berth.SSHKey) api.SSHKey {
	return api.SSHKey{PublicKey: k.Public, Fingerprint: credentials.Fingerprint(k), CreatedAt: k.CreatedAt}
}

func viewSecret(s berth.Secret) api.Secret {
	return api.Secret{Name: s.Name, Description: s.Description, Env: s.Env, File: s.File, Disabled: s.Disabled, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt}
}
