package tunnel

import (
	"io"
	"sync"
)

// corked gathers what is written between cork and uncork, so that the many
// small writes of a websocket message are one of the operating system's.
type corked struct {
	io.ReadWriteCloser
	early []byte // bytes read ahead by someone else, to be read first

	mu  sync.Mutex
	on  bool
	buf *[corkSize]byte // pooled; nil while there is nothing in it
	n   int
}

// corkSize holds the largest frame with the headers of HTTP/2 and websocket.
const corkSize = frameSize + 1<<10

var corks = sync.Pool{New: func() any { return new([corkSize]byte) }}

func (c *corked) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		if c.early = c.early[n:]; len(c.early) == 0 {
			c.early = nil
		}
		return n, nil
	}
	return c.ReadWriteCloser.Read(p)
}

func (c *corked) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n+len(p) > corkSize {
		if err := c.flush(); err != nil {
			return 0, err
		}
	}
	if !c.on || len(p) > corkSize {
		return c.ReadWriteCloser.Write(p)
	}
	if c.buf == nil {
		c.buf = corks.Get().(*[corkSize]byte)
	}
	c.n += copy(c.buf[c.n:], p)
	return len(p), nil
}

func (c *corked) cork() {
	c.mu.Lock()
	c.on = true
	c.mu.Unlock()
}

func (c *corked) uncork() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.on = false
	return c.flush()
}

// flush writes what was gathered. c.mu is held.
func (c *corked) flush() error {
	if c.buf == nil {
		return nil
	}
	buf, n := c.buf, c.n
	c.buf, c.n = nil, 0
	defer corks.Put(buf)
	_, err := c.ReadWriteCloser.Write(buf[:n])
	return err
}
