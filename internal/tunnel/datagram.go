package tunnel

import (
	"encoding/binary"
	"fmt"
	"io"
)

// MaxDatagram is the longest datagram that a stream carries.
const MaxDatagram = 1<<16 - 1

// WriteDatagram writes one datagram to a byte stream: its length in two bytes,
// the high one first, then its bytes. It is one Write.
func WriteDatagram(w io.Writer, p []byte) error {
	if len(p) > MaxDatagram {
		return fmt.Errorf("a datagram of %d bytes is too long", len(p))
	}
	b := make([]byte, 2+len(p))
	binary.BigEndian.PutUint16(b, uint16(len(p)))
	copy(b[2:], p)
	_, err := w.Write(b)
	return err
}

// ReadDatagram reads one datagram into buf, which has room for MaxDatagram. A
// stream that ends between two is io.EOF, within one io.ErrUnexpectedEOF.
func ReadDatagram(r io.Reader, buf []byte) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	p := buf[:binary.BigEndian.Uint16(head[:])]
	if _, err := io.ReadFull(r, p); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return p, nil
}
