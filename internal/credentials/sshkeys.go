package credentials

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/authz"
	"github.com/berthdev/berth/internal/store"
)

// SSHKey is the actor's public key, made now when there is none yet.
func (s *Service) SSHKey(ctx context.Context, actor authz.Actor) (berth.SSHKey, error) {
	if err := authz.Check(actor, authz.Read, authz.OfSSHKey(actor.UserID), "your SSH key"); err != nil {
		return berth.SSHKey{}, err
	}
	return s.EnsureSSHKey(ctx, actor.UserID)
}

// EnsureSSHKey is a user's public key, made now when there is none yet. The
// caller has decided who may see it.
func (s *Service) EnsureSSHKey(ctx context.Context, u berth.UserID) (key berth.SSHKey, err error) {
	read := func(q *store.Query) error {
		key, _, err = q.SSHKey(u)
		return err
	}
	if err := s.db.Read(ctx, read); !errors.Is(err, berth.NotFound) {
		return key, err
	}
	made, sealed, err := s.newSSHKey(u)
	if err != nil {
		return key, err
	}
	err = s.db.Guarded(ctx, func(tx *store.Tx) error {
		added, err := tx.AddSSHKey(made, sealed)
		if err != nil {
			return err
		}
		if added {
			if err := auditFirstKey(tx, made); err != nil {
				return err
			}
		}
		return read(&tx.Query) // somebody else's, if they were faster
	})
	return key, err
}

func auditFirstKey(tx *store.Tx, key berth.SSHKey) error {
	u, err := tx.User(key.UserID)
	if err != nil {
		return err
	}
	return tx.InsertAudit(store.Audit{Class: berth.AuditAutomatic, ActorID: u.ID, Action: "create", Kind: "ssh-key", TargetID: string(u.ID), TargetName: u.Username,
		Changes: berth.Changes{"fingerprint": {New: Fingerprint(key)}}, Reason: "A key pair is made when it is first asked for."})
}

// RegenerateSSHKey makes the actor a new key pair and forgets the old one.
func (s *Service) RegenerateSSHKey(ctx context.Context, actor authz.Actor) (key berth.SSHKey, err error) {
	if err := authz.Check(actor, authz.Update, authz.OfSSHKey(actor.UserID), "your SSH key"); err != nil {
		return key, err
	}
	made, sealed, err := s.newSSHKey(actor.UserID)
	if err != nil {
		return key, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		before, _, err := tx.SSHKey(actor.UserID)
		if err != nil && !errors.Is(err, berth.NotFound) {
			return err
		}
		if err := tx.ReplaceSSHKey(made, sealed); err != nil {
			return err
		}
		key = made
		key.CreatedAt = tx.Now
		c := berth.Changes{}
		c.Set("fingerprint", Fingerprint(before), Fingerprint(key))
		return tx.InsertAudit(store.Audit{ActorID: actor.UserID, Action: "regenerate", Kind: "ssh-key", TargetID: string(actor.UserID), TargetName: actor.Username, Changes: c})
	})
	return key, err
}

// Fingerprint is the SHA-256 of a public key as ssh-keygen -l prints it.
func Fingerprint(k berth.SSHKey) string {
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(k.Public))
	if err != nil {
		return ""
	}
	return ssh.FingerprintSHA256(public)
}

// newSSHKey makes a pair, the private half sealed.
func (s *Service) newSSHKey(u berth.UserID) (berth.SSHKey, []byte, error) {
	fail := func(err error) (berth.SSHKey, []byte, error) {
		return berth.SSHKey{}, nil, fmt.Errorf("making an SSH key: %w", err)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fail(err)
	}
	line, err := ssh.NewPublicKey(public)
	if err != nil {
		return fail(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "berth")
	if err != nil {
		return fail(err)
	}
	sealed, err := s.keys.Seal(pem.EncodeToMemory(block), SSHKeyBound(u))
	if err != nil {
		return fail(err)
	}
	return berth.SSHKey{UserID: u, Public: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(line))) + " berth"}, sealed, nil
}

// sshPair is a user's whole pair; empty texts when there is none.
func (s *Service) sshPair(q *store.Query, u berth.UserID) (public, private string, err error) {
	key, sealed, err := q.SSHKey(u)
	if errors.Is(err, berth.NotFound) {
		return "", "", nil
	}
	if err != nil {
		return "", "", err
	}
	plain, err := s.keys.Open(sealed, SSHKeyBound(u))
	if err != nil {
		return "", "", fmt.Errorf("opening the SSH key of user %s: %w", u, err)
	}
	return key.Public, string(plain), nil
}

// SSHKeyBound binds a sealed private key to its user.
func SSHKeyBound(u berth.UserID) []byte { return []byte("berth ssh key of user " + u) }
