package apps

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/berthdev/berth"
)

const (
	// ticketLife is how long a ticket may be used.
	ticketLife = time.Minute
	// sessionLife is how long a browser is known on an app's origin.
	sessionLife = 12 * time.Hour
	// skew is how far two servers' clocks may be apart, or one's set back.
	skew = 30 * time.Second
	// maxSigned bounds what is looked at.
	maxSigned = 2048
)

// Keys sign and verify. A key that is not known any more verifies nothing.
type Keys interface {
	Sign(ctx context.Context, message []byte) (keyID string, signature []byte, err error)
	Verify(ctx context.Context, keyID string, message, signature []byte) (bool, error)
}

// purpose keeps what is signed for one thing from being used for another.
type purpose string

const (
	forTicket  purpose = "berth app ticket v1"
	forSession purpose = "berth app session v1"
)

// claims is what a ticket or a session says: who, by which login, may open what
// where.
type claims struct {
	ID        string            `json:"i"` // of the ticket
	User      berth.UserID      `json:"u"`
	Login     berth.TokenID     `json:"l"` // the token that they are signed in with
	Workspace berth.WorkspaceID `json:"w"`
	Agent     berth.AgentID     `json:"a"` // of a ticket
	App       string            `json:"p"` // canonical path or label
	Host      string            `json:"h"`
	Claim     string            `json:"c,omitempty"` // of a claimed prebuild
	Nonce     string            `json:"n,omitempty"` // hash of the one that the browser holds
	Issued    int64             `json:"t"`           // Unix seconds
	Expires   int64             `json:"e"`
}

var errSigned = errors.New("it is not signed by this server, was changed, or is too old")

// sign writes claims as KEY.CLAIMS.SIGNATURE.
func sign(ctx context.Context, keys Keys, p purpose, c claims) (string, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(body)
	id, signature, err := keys.Sign(ctx, message(p, text))
	if err != nil {
		return "", err
	}
	return id + "." + text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

func message(p purpose, text string) []byte { return []byte(string(p) + "\x00" + text) }

// strict takes one spelling of each value only.
var strict = base64.RawURLEncoding.Strict()

// open reads what sign wrote, if it is good at now.
func open(ctx context.Context, keys Keys, p purpose, text string, now time.Time) (c claims, err error) {
	parts := strings.Split(text, ".")
	if len(text) > maxSigned || len(parts) != 3 {
		return c, errSigned
	}
	signature, err := strict.DecodeString(parts[2])
	if err != nil {
		return c, errSigned
	}
	good, err := keys.Verify(ctx, parts[0], message(p, parts[1]), signature)
	if err != nil {
		return c, err
	}
	body, err := strict.DecodeString(parts[1])
	if !good || err != nil || json.Unmarshal(body, &c) != nil {
		return claims{}, errSigned
	}
	if now.Unix() >= c.Expires || now.Add(skew).Unix() < c.Issued {
		return claims{}, errSigned
	}
	return c, nil
}

// used remembers tickets until they are too old to be used again.
type used struct {
	mu   sync.Mutex
	seen map[string]int64 // when it expires, by id
}

// take tells whether a ticket is used for the first time.
func (u *used) take(c claims, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.seen == nil {
		u.seen = map[string]int64{}
	}
	if _, again := u.seen[c.ID]; again {
		return false
	}
	if len(u.seen) >= 1024 {
		for id, expires := range u.seen {
			if expires+int64(skew.Seconds()) < now.Unix() {
				delete(u.seen, id)
			}
		}
	}
	u.seen[c.ID] = c.Expires
	return true
}

// randomText is 128 random bits.
func randomText() string {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		panic(err) // crypto/rand never fails on a machine that can run us
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// hashText is what is told of a secret text.
func hashText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
