package credentials_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/credentials"
	"github.com/berthdev/berth/internal/store"
	"github.com/berthdev/berth/internal/store/storetest"
)

func each(t *testing.T, test func(t *testing.T, h *house)) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, open func(*testing.T) *store.DB) { test(t, setUp(t, open(t))) })
}

// The pair is made once, by however many ask at once, and its halves fit.
func TestSSHKey(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		keys := make([]berth.SSHKey, 4)
		var wg sync.WaitGroup
		for i := range keys {
			wg.Go(func() {
				var err error
				if keys[i], err = h.SSHKey(t.Context(), h.ada); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, k := range keys {
			if k.Public != keys[0].Public || !strings.HasPrefix(k.Public, "ssh-ed25519 ") || !strings.HasPrefix(credentials.Fingerprint(k), "SHA256:") {
				t.Errorf("%+v, want %+v", k, keys[0])
			}
		}
		id := h.identity(t)
		private, err := ssh.ParsePrivateKey([]byte(id.Private))
		if err != nil || ssh.FingerprintSHA256(private.PublicKey()) != credentials.Fingerprint(keys[0]) {
			t.Errorf("the halves do not fit: %v", err)
		}
		rung, end := h.Watch(h.ada.UserID)
		defer end()
		young, err := h.RegenerateSSHKey(t.Context(), h.ada)
		if err != nil || young.Public == keys[0].Public {
			t.Errorf("regenerated: %+v, %v", young, err)
		}
		select {
		case <-rung:
		default:
			t.Error("nobody was told of the new key")
		}
		if other, err := h.SSHKey(t.Context(), h.eve); err != nil || other.Public == young.Public {
			t.Errorf("eve has %+v, %v", other, err)
		}
		if text := audited(t, h.db); !strings.Contains(text, "regenerate ssh-key") || strings.Contains(text, "PRIVATE") {
			t.Errorf("audit: %s", text)
		}
	})
}

// identity is what a started workspace of ada acts with.
func (h *house) identity(t *testing.T) credentials.Identity {
	t.Helper()
	id, err := h.Identity(t.Context(), h.start(t, "web"))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// start is a started workspace of ada.
func (h *house) start(t *testing.T, name string) credentials.Start {
	t.Helper()
	w := h.world.Workspace(t, h.db, name)
	b := h.world.Build(w.ID, berth.Start)
	b.ID, b.Number = berth.NewID[berth.Build](), 1
	if err := h.db.Write(t.Context(), func(tx *store.Tx) error { b.CreatedAt = tx.Now; return tx.InsertBuild(b) }); err != nil {
		t.Fatal(err)
	}
	return credentials.Start{Workspace: w, Owner: h.world.User, Build: b, AgentKey: []byte("0123456789abcdef0123456789abcdef")}
}

func ptr[T any](v T) *T { return &v }

func TestSecrets(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		value := "hunter2-very-secret"
		put := func(in credentials.SecretInput) error {
			_, err := h.PutSecret(t.Context(), h.ada, in)
			return err
		}
		if err := put(credentials.SecretInput{Name: "npm", Env: ptr("NPM_TOKEN"), Value: &value}); err != nil {
			t.Fatal(err)
		}
		if err := put(credentials.SecretInput{Name: "kube", File: ptr("~/.kube/config"), Value: ptr("apiVersion: v1\n")}); err != nil {
			t.Fatal(err)
		}
		if err := put(credentials.SecretInput{Name: "NPM", Description: ptr("read only")}); err != nil {
			t.Errorf("changing the description: %v", err)
		}
		list, err := h.Secrets(t.Context(), h.ada)
		if err != nil || len(list) != 2 || list[1].Description != "read only" || list[1].Env != "NPM_TOKEN" {
			t.Errorf("%+v, %v", list, err)
		}
		id := h.identity(t)
		if len(id.Secrets) != 2 || id.Secrets[1].Value != value || id.Secrets[0].File != "~/.kube/config" {
			t.Errorf("the workspace gets %+v", id.Secrets)
		}
		if err := put(credentials.SecretInput{Name: "npm", Disabled: ptr(true)}); err != nil {
			t.Fatal(err)
		}
		if id, _ := h.Identity(t.Context(), h.start(t, "two")); len(id.Secrets) != 1 {
			t.Errorf("with one disabled the workspace gets %+v", id.Secrets)
		}
		if list, _ := h.Secrets(t.Context(), h.eve); len(list) != 0 {
			t.Errorf("eve sees %+v", list)
		}
		if err := h.RemoveSecret(t.Context(), h.eve, "npm"); !errors.Is(err, berth.NotFound) {
			t.Errorf("eve removes it: %v", err)
		}
		if err := h.RemoveSecret(t.Context(), h.ada, "npm"); err != nil {
			t.Error(err)
		}
		if text := audited(t, h.db) + h.log.String(); strings.Contains(text, value) || !strings.Contains(text, "delete secret npm") {
			t.Errorf("audit and log: %s", text)
		}
	})
}

func TestSecretsThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for field, ins := range map[string][]credentials.SecretInput{
			"name":  {{Name: "", Env: ptr("A")}, {Name: "../x", Env: ptr("A")}, {Name: strings.Repeat("x", 65), Env: ptr("A")}},
			"env":   {{Name: "a"}, {Name: "a", Env: ptr("PATH")}, {Name: "a", Env: ptr("Ld_Preload")}, {Name: "a", Env: ptr("CODER_X")}, {Name: "a", Env: ptr("BERTH_TOKEN")}, {Name: "a", Env: ptr("A=B")}, {Name: "a", Env: ptr("1A")}, {Name: "a", Env: ptr("HOME")}, {Name: "a", Env: ptr("BASH_ENV")}},
			"file":  {{Name: "a", File: ptr("x")}, {Name: "a", File: ptr("~/../x")}, {Name: "a", File: ptr("/etc/../x")}, {Name: "a", File: ptr("~/")}, {Name: "a", File: ptr("/")}, {Name: "a", File: ptr("~/a\nb")}, {Name: "a", File: ptr("/tmp/")}},
			"value": {{Name: "a", Env: ptr("A"), Value: ptr("")}, {Name: "a", Env: ptr("A"), Value: ptr("a\x00")}, {Name: "a", Env: ptr("A"), Value: ptr(strings.Repeat("x", berth.MaxSecretSize+1))}},
		} {
			for _, in := range ins {
				if in.Value == nil {
					in.Value = ptr("v")
				}
				_, err := h.PutSecret(t.Context(), h.ada, in)
				var e *berth.Error
				if !errors.As(err, &e) || e.Field != field {
					t.Errorf("%+v: %v, want one about %s", in, err, field)
				}
			}
		}
		if _, err := h.PutSecret(t.Context(), h.ada, credentials.SecretInput{Name: "a", Env: ptr("A")}); !errors.Is(err, berth.Invalid) {
			t.Errorf("a new secret without a value: %v", err)
		}
		for i := range berth.MaxSecrets {
			if _, err := h.PutSecret(t.Context(), h.ada, credentials.SecretInput{Name: fmt.Sprintf("s%d", i), Env: ptr(fmt.Sprintf("S%d", i)), Value: ptr("v")}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.PutSecret(t.Context(), h.ada, credentials.SecretInput{Name: "more", Env: ptr("MORE"), Value: ptr("v")}); !errors.Is(err, berth.Limit) {
			t.Errorf("one too many: %v", err)
		}
		if _, err := h.PutSecret(t.Context(), h.ada, credentials.SecretInput{Name: "s1", Env: ptr("S2")}); !errors.Is(err, berth.Conflict) {
			t.Errorf("a variable twice: %v", err)
		}
	})
}

// What runs in a workspace sees the public key and gets tokens, and no more.
func TestAWorkspaceMayDoLittle(t *testing.T) {
	t.Parallel()
	h := setUp(t, storetest.SQLite(t))
	h.signIn(t, h.ada)
	inside := authz.User(authz.Who{User: h.world.User}, authz.ScopeWorkspace)
	if _, err := h.SSHKey(t.Context(), inside); err != nil {
		t.Errorf("the public key: %v", err)
	}
	if _, err := h.ExternalToken(t.Context(), inside, "octo"); err != nil {
		t.Errorf("a token: %v", err)
	}
	for what, err := range map[string]error{
		"lists secrets":    second(h.Secrets(t.Context(), inside)),
		"makes a secret":   second(h.PutSecret(t.Context(), inside, credentials.SecretInput{Name: "a", Env: ptr("A"), Value: ptr("v")})),
		"removes a secret": h.RemoveSecret(t.Context(), inside, "a"),
		"regenerates":      second(h.RegenerateSSHKey(t.Context(), inside)),
		"signs in":         second(h.Begin(t.Context(), inside, "octo", false)),
		"finishes":         h.Finish(t.Context(), inside, "octo", "x", "y"),
		"revokes":          second(h.RevokeExternal(t.Context(), inside, "octo")),
	} {
		if !errors.Is(err, berth.Forbidden) {
			t.Errorf("a workspace %s: %v", what, err)
		}
	}
	for what, err := range map[string]error{
		"key":     second(h.SSHKey(t.Context(), authz.Actor{})),
		"secrets": second(h.Secrets(t.Context(), authz.Actor{})),
		"token":   second(h.ExternalToken(t.Context(), authz.Actor{}, "octo")),
	} {
		if !errors.Is(err, berth.Unauthenticated) {
			t.Errorf("nobody gets the %s: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
