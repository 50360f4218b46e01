package accounts

import (
	"crypto/sha256"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/berthdev/berth"
)

// Limits of signing in, each a bucket that refills steadily. They live in the
// memory of each server: a replica more allows so many tries more.
var (
	perPerson  = bucket{size: 8, refill: 15 * time.Second} // of one name from one address
	perAddress = bucket{size: 60, refill: time.Second}     // of any name from one address
	// perAccount is of one account from all addresses together. Somebody with
	// many addresses could keep its owner out with it, so it does not count where
	// they were let in before: see Service.known.
	perAccount = bucket{size: 100, refill: 36 * time.Second}
)

const rememberedTries = 20_000

// bucket allows size tries at once, and one more for each refill.
type bucket struct {
	size   float64
	refill time.Duration
}

// level is how full a bucket is at a time.
type level struct {
	left  float64
	at    time.Time
	tried int // how often, since it was full
}

// tries counts who tries to sign in how often.
type tries struct {
	mu     sync.Mutex
	levels map[[32]byte]level
}

func newTries() *tries { return &tries{levels: map[[32]byte]level{}} }

// take counts one try and refuses it when there were too many. The answer does
// not depend on whether the user exists.
func (t *tries) take(username, remoteAddr string, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	host := network(remoteAddr)
	// The address comes first, and what it is refused leaves no trace: names that
	// are made up would push out what others did.
	if err := tooMany(t.draw(perAddress, addressKey(host), now)); err != nil {
		return err
	}
	return tooMany(t.draw(perPerson, personKey(username, host), now))
}

// Knock counts a try to sign in otherwise than by password, and refuses it when
// there were too many from its address.
func (s *Service) Knock(remoteAddr string) error {
	s.tries.mu.Lock()
	defer s.tries.mu.Unlock()
	return tooMany(s.tries.draw(perAddress, addressKey(network(remoteAddr)), time.Now()))
}

func tooMany(wait time.Duration) error {
	if wait == 0 {
		return nil
	}
	return berth.Errorf(berth.Limit, "too many tries to sign in: wait %s and try again", wait.Round(time.Second)+time.Second)
}

// takeAccount counts one try for an account, wherever it comes from.
func (t *tries) takeAccount(account string, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return tooMany(t.draw(perAccount, accountKey(account), now))
}

// forget forgives the tries of one name from one address, after a good one.
func (t *tries) forget(username, remoteAddr string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.levels, personKey(username, network(remoteAddr)))
}

// giveBack takes back one try for an account, which was a good one. The others
// still count: they may be somebody else's.
func (t *tries) giveBack(account string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := accountKey(account)
	if l, ok := t.levels[key]; ok {
		l.left = min(perAccount.size, l.left+1)
		t.levels[key] = l
	}
}

// draw takes one out of a bucket, or tells how long until that can be done.
func (t *tries) draw(b bucket, key [32]byte, now time.Time) time.Duration {
	l, known := t.levels[key]
	if !known {
		t.makeRoom(now)
		l = level{left: b.size, at: now}
	}
	if passed := now.Sub(l.at); passed > 0 { // the clock may go back
		if l.left = min(b.size, l.left+float64(passed)/float64(b.refill)); l.left == b.size {
			l.tried = 0
		}
	}
	l.at = now
	l.tried++
	if l.left < 1 {
		t.levels[key] = l
		return time.Duration((1 - l.left) * float64(b.refill))
	}
	l.left--
	t.levels[key] = l
	return 0
}

// makeRoom keeps the memory bounded. Who was quiet for long is forgotten; then,
// in a flood, those who tried once or twice, since those are what a flood is made
// of, and only if that is not enough everybody.
func (t *tries) makeRoom(now time.Time) {
	if len(t.levels) < rememberedTries {
		return
	}
	full := time.Duration(perAccount.size) * perAccount.refill
	for k, l := range t.levels {
		if now.Sub(l.at) > full {
			delete(t.levels, k)
		}
	}
	for k, l := range t.levels {
		if len(t.levels) <= rememberedTries*3/4 { // room for a while: to look at all of them takes time
			return
		}
		if l.tried <= 2 {
			delete(t.levels, k)
		}
	}
	if len(t.levels) >= rememberedTries {
		clear(t.levels)
	}
}

func personKey(username, host string) [32]byte {
	return sha256.Sum256([]byte("person\x00" + strings.ToLower(username) + "\x00" + host))
}

func addressKey(host string) [32]byte { return sha256.Sum256([]byte("address\x00" + host)) }

func accountKey(account string) [32]byte { return sha256.Sum256([]byte("account\x00" + account)) }

// hostOf is the address of host:port.
func hostOf(remoteAddr string) string {
	if host, _, err := net.SplitHostPort(remoteAddr); err == nil {
		return host
	}
	return remoteAddr
}

// network is what limits count as one place: an address of IPv4, and of IPv6 all
// that one line is given.
func network(remoteAddr string) string {
	host := hostOf(remoteAddr)
	a, err := netip.ParseAddr(host)
	if err != nil || a.Unmap().Is4() {
		return host
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return host
	}
	return p.String()
}
