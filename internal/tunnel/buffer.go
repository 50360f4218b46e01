package tunnel

import "sync"

// chunks are the buffers of frames on their way in or out.
var chunks = sync.Pool{New: func() any { return new([frameSize]byte) }}

type chunk = *[frameSize]byte

// A buffer is a queue of bytes in pooled chunks. An empty one holds none, and
// small payloads share a chunk, so what a peer can make us hold is what it
// sent. One goroutine fills it, one empties it; the owner's lock covers each
// method, but not the use of what space returns.
type buffer struct {
	held    []chunk
	start   int  // of the first byte in held[0]
	end     int  // behind the last byte in the last of held
	filling bool // space was given out: the last chunk stays
}

// space gives room behind the last byte, for commit.
func (b *buffer) space() []byte {
	if len(b.held) == 0 || b.end == frameSize {
		if len(b.held) == 0 {
			b.start = 0
		}
		b.held = append(b.held, chunks.Get().(chunk))
		b.end = 0
	}
	b.filling = true
	return b.held[len(b.held)-1][b.end:]
}

// commit says that the first n bytes of space are filled.
func (b *buffer) commit(n int) {
	b.filling = false
	b.end += n
	b.recycle()
}

// front gives the bytes that come next, without taking them.
func (b *buffer) front() []byte {
	switch len(b.held) {
	case 0:
		return nil
	case 1:
		return b.held[0][b.start:b.end]
	default:
		return b.held[0][b.start:]
	}
}

// drop takes the first n bytes, at most those of front.
func (b *buffer) drop(n int) {
	b.start += n
	b.recycle()
}

// take moves up to len(p) bytes to p.
func (b *buffer) take(p []byte) (n int) {
	for n < len(p) {
		m := copy(p[n:], b.front())
		if m == 0 {
			return n
		}
		b.drop(m)
		n += m
	}
	return n
}

// clear drops everything and says how much that was.
func (b *buffer) clear() (n int) {
	for {
		m := len(b.front())
		if m == 0 {
			return n
		}
		b.drop(m)
		n += m
	}
}

// recycle gives back the first chunk when nothing of it is needed any more.
func (b *buffer) recycle() {
	if len(b.held) == 0 {
		return
	}
	if last := len(b.held) == 1; last && (b.filling || b.start < b.end) || !last && b.start < frameSize {
		return
	}
	chunks.Put(b.held[0])
	b.held[0] = nil
	b.held = b.held[1:]
	b.start = 0
	if len(b.held) == 0 {
		b.held, b.end = nil, 0
	}
}
