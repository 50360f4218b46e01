package providers

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"sync"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/store"
)

const tokenPrefix = "berthp_"

// builtIn is the token of this server's own runner.
type builtIn struct {
	mu   sync.RWMutex
	hash []byte // nil: none was made
}

func (b *builtIn) holds(hash []byte) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.hash != nil && subtle.ConstantTimeCompare(b.hash, hash) == 1
}

// BuiltInToken makes the token of this server's own runner. The one before
// stops working.
func (s *Service) BuiltInToken(context.Context) (string, error) {
	b := make([]byte, 24)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	text := tokenPrefix + base64.RawURLEncoding.EncodeToString(b)
	s.builtIn.mu.Lock()
	defer s.builtIn.mu.Unlock()
	s.builtIn.hash = hashToken(text)
	return text, nil
}

// Authenticate tells which provider a runner's token belongs to.
func (s *Service) Authenticate(ctx context.Context, token string) (p berth.Provider, err error) {
	wrong := berth.Errorf(berth.Unauthenticated, "the provider's token is unknown: give the one that was shown when the provider was made")
	if !strings.HasPrefix(token, tokenPrefix) || len(token) > 200 {
		return p, wrong
	}
	hash := hashToken(token)
	err = s.db.Read(ctx, func(q *store.Query) error {
		if s.builtIn.holds(hash) {
			p, err = q.ProviderRef(berth.BuiltInProvider)
		} else {
			p, err = q.ProviderByToken(hash)
		}
		return err
	})
	if errors.Is(err, berth.NotFound) {
		return p, wrong
	}
	return p, err
}

func hashToken(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}
