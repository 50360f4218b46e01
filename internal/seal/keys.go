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
	"strings"
	"time"
)

// suffix ends the name of a key file: ID.key, with the key in base64.
const suffix = ".key"

// secretSize is that of an AES-256 key.
const secretSize = 32

// Load reads the keys in dir, and makes the directory (0700) and a first key
// (0600) where there is none. Two processes may do so at once: both keys stay
// and each process knows the other's once it has loaded again, so replicas are
// given the same directory before they first start.
func Load(dir string) (*Keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("loading the keys: %w", err)
	}
	k := &Keys{dir: dir, ciphers: map[keyID]cipher.AEAD{}}
	if err := k.read(); err != nil {
		return nil, err
	}
	if len(k.ciphers) == 0 {
		if err := k.Rotate(); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// Rotate makes a new key, which seals from now on.
func (k *Keys) Rotate() error {
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
