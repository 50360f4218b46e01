package machines

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/berthdev/berth"
)

// Anybody may send a document, before anything is known of them.
func TestNestedDocumentsEndSoon(t *testing.T) {
	t.Parallel()
	v := loaded(t, "")
	const deep = 10_000
	for name, der := range map[string][]byte{
		"of unknown length": append(bytes.Repeat([]byte{0x30, 0x80}, deep), make([]byte, 2*deep)...),
		"without ends":      bytes.Repeat([]byte{0x30, 0x80}, deep),
		"tagged":            append(bytes.Repeat([]byte{0xa0, 0x80}, deep), make([]byte, 2*deep)...),
		"large":             append([]byte{0x30, 0x83, 0x40, 0, 0}, make([]byte, 0x400000)...),
	} {
		text := base64.StdEncoding.EncodeToString(der)
		begin := time.Now()
		_, err := v.Azure(text)
		if took := time.Since(begin); took > time.Second || !errors.Is(err, berth.Unauthenticated) {
			t.Errorf("%s: %v, %v", name, took, err)
		}
	}
}
