package accounts

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/berthdev/berth"
)

// cost is what hashing one password takes. Its text stands in each hash, so a
// later change leaves old hashes good.
type cost struct {
	memory uint32 // KiB
	time   uint32
}

var (
	present = cost{memory: 19 << 10, time: 2}
	// bearable bounds what a stored hash may ask for, so that a damaged one
	// cannot exhaust the server.
	bearable = cost{memory: 256 << 10, time: 16}
)

const (
	hashers  = 2  // hashings at once: about 40 MB
	patience = 64 // who may wait for one
)

// hasher hashes passwords, a few at a time.
type hasher struct {
	waiting chan struct{}
	working chan struct{}
	decoy   string // hash of nobody's password, with the same work
}

func newHasher() *hasher {
	return &hasher{
		waiting: make(chan struct{}, patience),
		working: make(chan struct{}, hashers),
		decoy:   encode(present, make([]byte, 16), make([]byte, 32)),
	}
}

// hash is what is kept of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("making a salt: %w", err)
	}
	return encode(present, salt, present.key(password, salt, 32)), nil
}

// verify tells whether the password belongs to the hash. An empty hash is
// answered with no, after the same work.
func (h *hasher) verify(ctx context.Context, hash, password string) (bool, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	real := hash != ""
	if !real {
		hash = h.decoy
	}
	c, salt, want, err := decode(hash)
	if err != nil {
		return false, err
	}
	same := subtle.ConstantTimeCompare(c.key(password, salt, uint32(len(want))), want) == 1
	return same && real, nil
}

// enter waits for a place to work.
func (h *hasher) enter(ctx context.Context) (leave func(), err error) {
	select {
	case h.waiting <- struct{}{}:
	default:
		return nil, berth.Errorf(berth.Limit, "too many people are signing in at once: try again in a moment")
	}
	defer func() { <-h.waiting }()
	select {
	case h.working <- struct{}{}:
		return func() { <-h.working }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c cost) key(password string, salt []byte, size uint32) []byte {
	return argon2.IDKey([]byte(password), salt, c.time, c.memory, 1, size)
}

// encode writes a hash in the form that other programs use too (PHC).
func encode(c cost, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, c.memory, c.time, b64.EncodeToString(salt), b64.EncodeToString(key))
}

func decode(hash string) (c cost, salt, key []byte, err error) {
	var version int
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return c, nil, nil, fmt.Errorf("reading a password hash: it has not the form of argon2id")
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=1", &version, &c.memory, &c.time); err != nil {
		return c, nil, nil, fmt.Errorf("reading a password hash: %w", err)
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || version != argon2.Version || c.time == 0 || c.memory > bearable.memory || c.time > bearable.time || len(key) < 16 || len(key) > 64 {
		return c, nil, nil, fmt.Errorf("reading a password hash: it is damaged or of another version")
	}
	return c, salt, key, nil
}
