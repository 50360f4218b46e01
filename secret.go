package berth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// NewSecret is an unguessable text of 32 bytes, in base64url.
func NewSecret() string { return base64.RawURLEncoding.EncodeToString(randomBytes(32)) }

// Digest is the SHA-256 of a text, hex: what is kept of a secret.
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// NewCode is a code of 40 random bits that people can type: ABCD-EFGH.
func NewCode() string {
	text := base32.StdEncoding.EncodeToString(randomBytes(5))
	return text[:4] + "-" + text[4:]
}

// PlainCode is a code as it is compared, however somebody typed it.
func PlainCode(code string) string {
	return strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(strings.TrimSpace(code)))
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic(err) // crypto/rand never fails on a machine that can run us
	}
	return b
}

// Challenge is what may be told of a secret before it is: its SHA-256, in
// base64url.
func Challenge(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
