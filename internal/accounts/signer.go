package accounts

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/berthdev/berth/internal/seal"
	"github.com/berthdev/berth/internal/store"
)

const (
	// signFor is how long a key signs before the next one does.
	signFor = 30 * 24 * time.Hour
	// verifyFor is how much longer what it signed is good, at most.
	verifyFor = 24 * time.Hour
	// lookAgain spaces the looks for a key that is not known: another server
	// may have made it, or somebody made it up.
	lookAgain = 2 * time.Second
)

// Signer signs for one use with Ed25519 keys that all servers on a database
// share. It makes the keys itself: the first, and the next one every 30 days.
// It is safe for use by many goroutines.
type Signer struct {
	db   *store.DB
	keys *seal.Keys
	use  string

	mu     sync.Mutex
	known  map[string]ed25519.PublicKey
	id     string // of the key that signs; empty before the first
	key    ed25519.PrivateKey
	until  time.Time // signs
	looked time.Time
}

// NewSigner makes the signer for a use.
func NewSigner(db *store.DB, keys *seal.Keys, use string) *Signer {
	return &Signer{db: db, keys: keys, use: use, known: map[string]ed25519.PublicKey{}}
}

// Sign signs a message.
func (s *Signer) Sign(ctx context.Context, message []byte) (keyID string, signature []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); s.id == "" || !now.Before(s.until) || s.until.Sub(now) > signFor { // the clock may have been set back
		if err := s.renew(ctx); err != nil {
			return "", nil, err
		}
	}
	return s.id, ed25519.Sign(s.key, message), nil
}

// Verify tells whether a key of ours that is still good signed the message.
func (s *Signer) Verify(ctx context.Context, keyID string, message, signature []byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known[keyID] == nil || time.Since(s.looked) > time.Hour {
		if now := time.Now(); now.Sub(s.looked) > lookAgain || now.Before(s.looked) {
			if err := s.db.Read(ctx, s.read); err != nil {
				return false, fmt.Errorf("reading the signing keys: %w", err)
			}
		}
	}
	key := s.known[keyID]
	return key != nil && ed25519.Verify(key, message, signature), nil
}

// renew takes the newest key, or makes one when that is too old to sign.
func (s *Signer) renew(ctx context.Context) error {
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		found, err := tx.SigningKeys(s.use, tx.Now)
		if err != nil {
			return err
		}
		if len(found) == 0 || tx.Now.Sub(found[0].CreatedAt) >= signFor {
			k, err := s.generate(tx.Now)
			if err != nil {
				return err
			}
			if err := tx.InsertSigningKey(s.use, k); err != nil {
				return err
			}
			found = append([]store.SigningKey{k}, found...)
		}
		private, err := s.keys.Open(found[0].Sealed, SigningKeyBound(s.use, found[0].ID))
		if err != nil {
			return err
		}
		s.id, s.key, s.until = found[0].ID, private, found[0].CreatedAt.Add(signFor)
		s.learn(found)
		return nil
	})
	if err != nil {
		return fmt.Errorf("making a signing key: %w", err)
	}
	return nil
}

func (s *Signer) read(q *store.Query) error {
	found, err := q.SigningKeys(s.use, time.Now())
	if err == nil {
		s.learn(found)
	}
	return err
}

func (s *Signer) learn(found []store.SigningKey) {
	clear(s.known)
	for _, k := range found {
		if len(k.Public) == ed25519.PublicKeySize {
			s.known[k.ID] = k.Public
		}
	}
	s.looked = time.Now()
}

func (s *Signer) generate(now time.Time) (store.SigningKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return store.SigningKey{}, err
	}
	b := make([]byte, 8)
	if _, err := rand.Read(b); err != nil {
		return store.SigningKey{}, err
	}
	id := hex.EncodeToString(b)
	sealed, err := s.keys.Seal(private, SigningKeyBound(s.use, id))
	return store.SigningKey{ID: id, Public: public, Sealed: sealed, CreatedAt: now, ExpiresAt: now.Add(signFor + verifyFor)}, err
}

// SigningKeyBound binds a sealed signing key to what it is for and its id.
func SigningKeyBound(use, id string) []byte { return []byte("signing key " + use + " " + id) }
