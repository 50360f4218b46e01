package seal

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// suffix ends the name of a key file: ID.key, with the key in base64.
const suffix = ".key"

// secretSize is that of an AES-256 key.
const secretSize = 32

// Load reads the keys in dir, and makes the directory (0700) and a first key
// (0600) where there is none. Two processes may do so at once: both keys stay
// and each process finds the other's.
func Load(dir string) (*Keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("loading the keys: %w", err)
	}
	k := &Keys{dir: dir, ciphers: map[keyID]cipher.AEAD{}}
	if err := k.read(); err != nil { // nobody else has k yet
		return nil, err
	}
	k.looked = time.Now()
	if len(k.ciphers) == 0 {
		if err := k.Rotate(); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// lookEvery is how often sealing looks at the directory for keys of other
// processes, so that all soon seal with the newest.
const lookEvery = time.Second

// look reads the directory again, unless that was done less than every ago. What
// cannot be read leaves the keys that there are.
func (k *Keys) look(every time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := time.Now(); now.Sub(k.looked) >= every || now.Before(k.looked) {
		k.looked = now
		_ = k.read() // a file that is damaged was said at the start, or will be at the next
	}
}

// Key is one key, by what names its file and its envelopes.
type Key struct {
	ID      string // hex; the file is ID.key
	Head    []byte // begins each envelope that it sealed
	Current bool   // seals from now on
}

// List is all keys, oldest first.
func (k *Keys) List() []Key {
	k.look(0)
	k.mu.RLock()
	defer k.mu.RUnlock()
	var list []Key
	for id := range k.ciphers {
		list = append(list, Key{ID: id.String(), Head: slices.Concat([]byte{version}, id[:]), Current: id == k.current})
	}
	slices.SortFunc(list, func(a, b Key) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// Rotate makes a new key, which seals from now on.
func (k *Keys) Rotate() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	secret := make([]byte, secretSize)
	if _, err := rand.Read(secret); err != nil {
		return fmt.Errorf("making a key: %w", err)
	}
	id := k.nextID()
	if err := write(k.dir, id.String()+suffix, base64.StdEncoding.EncodeToString(secret)+"\n"); err != nil {
		return fmt.Errorf("making a key: %w", err)
	}
	return k.add(id, secret)
}

// nextID is greater than that of every key so far, also when the clock went
// back.
func (k *Keys) nextID() (id keyID) {
	now := uint64(time.Now().UnixNano())
	if last := binary.BigEndian.Uint64(k.current[:]); now <= last {
		now = last + 1
	}
	binary.BigEndian.PutUint64(id[:], now)
	return id
}

func (k *Keys) add(id keyID, secret []byte) error {
	c, err := newCipher(secret)
	if err != nil {
		return err
	}
	k.ciphers[id] = c
	if id.String() > k.current.String() {
		k.current = id
	}
	return nil
}

// read adds the keys in the directory that are not known yet. The caller holds mu.
func (k *Keys) read() error {
	entries, err := os.ReadDir(k.dir)
	if err != nil {
		return fmt.Errorf("loading the keys: %w", err)
	}
	for _, e := range entries {
		name, isKey := strings.CutSuffix(e.Name(), suffix)
		if !isKey {
			continue
		}
		path := filepath.Join(k.dir, e.Name())
		id, err := hex.DecodeString(name)
		if err != nil || len(id) != idSize {
			return fmt.Errorf("loading the keys: %s is not the name of a key", path)
		}
		if k.ciphers[keyID(id)] != nil {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("loading the keys: %w", err)
		}
		secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
		if err != nil || len(secret) != secretSize {
			return fmt.Errorf("loading the keys: %s holds no key: restore it from where the keys are backed up", path)
		}
		if err := k.add(keyID(id), secret); err != nil {
			return err
		}
	}
	return nil
}

// write makes the file whole or not at all, and keeps it through a power cut:
// a lost key is lost data.
func write(dir, name, text string) (err error) {
	f, err := os.CreateTemp(dir, ".new-*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	path := filepath.Join(dir, name)
	if _, exists := os.Lstat(path); !errors.Is(exists, fs.ErrNotExist) {
		return fmt.Errorf("%s exists already", path)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
