package tunnel

import (
	"encoding/binary"
	"fmt"
)

// A frame is a header and, for data and reset, a payload:
//
//	type (1 byte)  offset (8 bytes)  length (4 bytes)  payload
//
// Numbers are big-endian. Offsets count the bytes of one direction from the
// start of the stream, so that a stream that moves to another carrier goes on
// where both sides are.
type frameType byte

const (
	frameData  frameType = 1 // offset: of the first byte; payload: 1 to MaxPayload bytes
	frameAck   frameType = 2 // offset: bytes of the other direction consumed; no payload
	frameFin   frameType = 3 // offset: where this direction ends; no payload
	frameReset frameType = 4 // offset: 0; payload: a reason of at most maxReason bytes
	// Only on streams that resume: the other direction's end has arrived.
	// offset: seenFin, seenReset or both; no payload.
	frameSeen frameType = 5
)

const (
	seenFin   = 1
	seenReset = 2
)

const (
	headerSize = 13
	frameSize  = 64 << 10 // of the largest frame: one buffer, one HTTP/2 frame

	// MaxPayload is the largest payload of a data frame, in bytes.
	MaxPayload = frameSize - headerSize
	// Window is how many bytes of one direction may be unacknowledged.
	Window = 4 << 20

	maxReason = 256
	// An acknowledgement goes out when this much was consumed since the last,
	// and beside data already when it is ackBeside: the other side holds what
	// is not acknowledged.
	ackEvery  = Window / 16
	ackBeside = 16 << 10
)

type frame struct {
	typ    frameType
	offset int64
	length int
}

func (f frame) put(b []byte) {
	b[0] = byte(f.typ)
	binary.BigEndian.PutUint64(b[1:], uint64(f.offset))
	binary.BigEndian.PutUint32(b[9:], uint32(f.length))
}

// parseHeader reads the header in b, which has headerSize bytes, and refuses
// what no sender of ours writes. It knows no stream: whether the offset fits
// is checked where the counts are.
func parseHeader(b []byte) (frame, error) {
	typ, offset, length := frameType(b[0]), binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint32(b[9:])
	var least, most uint32
	switch typ {
	case frameData:
		least, most = 1, MaxPayload
	case frameAck, frameFin, frameSeen:
	case frameReset:
		most = maxReason
	default:
		return frame{}, fmt.Errorf("frame of unknown type %d", typ)
	}
	if length < least || length > most {
		return frame{}, fmt.Errorf("frame of type %d with a payload of %d bytes", typ, length)
	}
	if offset > 1<<62 || typ == frameReset && offset != 0 || typ == frameSeen && (offset == 0 || offset > seenFin|seenReset) {
		return frame{}, fmt.Errorf("frame of type %d at impossible offset %d", typ, offset)
	}
	return frame{typ: typ, offset: int64(offset), length: int(length)}, nil
}
