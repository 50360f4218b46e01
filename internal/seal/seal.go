package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// version begins each envelope, so that the form can change one day.
const version = 1

// idSize is the length of a key's id in an envelope.
const idSize = 8

// keyID names a key: the time of its making, so that the newest is the greatest.
type keyID [idSize]byte

func (id keyID) String() string { return fmt.Sprintf("%x", id[:]) }

// Keys seals and opens. It is safe for use by many goroutines, also while it is
// being rotated, here or by another process on the same directory.
type Keys struct {
	dir string

	mu      sync.RWMutex
	current keyID
	ciphers map[keyID]cipher.AEAD
	looked  time.Time // when the directory was looked at last
}

// Seal encrypts plain and binds it to aad, which Open must be given again.
func (k *Keys) Seal(plain, aad []byte) ([]byte, error) {
	k.look(lookEvery)
	k.mu.RLock()
	id := k.current
	c, ok := k.ciphers[id]
	k.mu.RUnlock()
	if !ok {
		return nil, errors.New("sealing: no key is loaded")
	}
	head := slices.Concat([]byte{version}, id[:])
	nonce := make([]byte, c.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	return c.Seal(slices.Concat(head, nonce), nonce, plain, bound(head, aad)), nil
}

// Open decrypts what Seal made with the same aad. A value that was changed, cut,
// moved or sealed with a key that is not there gives an error and nothing else.
func (k *Keys) Open(sealed, aad []byte) ([]byte, error) {
	if len(sealed) < 1+idSize || sealed[0] != version {
		return nil, errors.New("opening a sealed value: it has not the form of one")
	}
	head, rest := sealed[:1+idSize], sealed[1+idSize:]
	id := keyID(head[1:])
	c, ok := k.cipher(id)
	if !ok {
		return nil, fmt.Errorf("opening a sealed value: its key %s is not in %s: put the key file back, from where the keys are backed up", id, k.dir)
	}
	if len(rest) < c.NonceSize() {
		return nil, errors.New("opening a sealed value: it was cut")
	}
	plain, err := c.Open(nil, rest[:c.NonceSize()], rest[c.NonceSize():], bound(head, aad))
	if err != nil {
		return nil, errors.New("opening a sealed value: it was changed, or belongs elsewhere")
	}
	return plain, nil
}

// cipher is that of a key, which another process may have made a moment ago.
func (k *Keys) cipher(id keyID) (cipher.AEAD, bool) {
	get := func() (cipher.AEAD, bool) {
		k.mu.RLock()
		defer k.mu.RUnlock()
		c, ok := k.ciphers[id]
		return c, ok
	}
	c, ok := get()
	if !ok {
		k.look(0)
		c, ok = get()
	}
	return c, ok
}

// bound is what is authenticated beside the text: the head too, so that nobody
// can make one key's envelope look like another's.
func bound(head, aad []byte) []byte { return slices.Concat(head, aad) }

func newCipher(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
