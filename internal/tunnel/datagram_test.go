package tunnel

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"pgregory.net/rapid"
)

func TestDatagramsKeepTheirBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sent := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 3000), 0, 20).Draw(t, "datagrams")
		var b bytes.Buffer
		for _, p := range sent {
			if err := WriteDatagram(&b, p); err != nil {
				t.Fatal(err)
			}
		}
		cut := rapid.IntRange(0, b.Len()).Draw(t, "cut")
		in, buf := bytes.NewReader(b.Bytes()[:cut]), make([]byte, MaxDatagram)
		for i := 0; ; i++ {
			p, err := ReadDatagram(in, buf)
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) || cut == b.Len() && (i != len(sent) || err != io.EOF) {
					t.Fatalf("datagram %d of %d: %v", i, len(sent), err)
				}
				return
			}
			if !bytes.Equal(p, sent[i]) {
				t.Fatalf("datagram %d is %x, want %x", i, p, sent[i])
			}
		}
	})
	if err := WriteDatagram(io.Discard, make([]byte, MaxDatagram+1)); err == nil {
		t.Error("a datagram that is too long was sent")
	}
}
