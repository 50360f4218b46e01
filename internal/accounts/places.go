package accounts

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/berthdev/berth"
)

// places remembers from where each token came lately, so that the first use from
// elsewhere is written down at once: a stolen token must not hide behind its
// owner's, who used it in the same minute.
type places struct {
	mu   sync.Mutex
	seen map[[32]byte]time.Time
}

const (
	rememberedPlaces = 50_000
	placeFor         = time.Hour
)

func newPlaces() *places { return &places{seen: map[[32]byte]time.Time{}} }

// fresh tells whether a token was not seen from there lately, and remembers it.
func (p *places) fresh(id berth.TokenID, from berth.AuditOrigin, now time.Time) bool {
	if from.Address == "" {
		return false
	}
	key := sha256.Sum256([]byte(string(id) + "\x00" + from.Address + "\x00" + from.UserAgent))
	p.mu.Lock()
	defer p.mu.Unlock()
	if last, ok := p.seen[key]; ok && now.Sub(last) < placeFor {
		return false
	}
	if len(p.seen) >= rememberedPlaces {
		clear(p.seen)
	}
	p.seen[key] = now
	return true
}
