package shell

import (
	"io"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Copies begin with a small buffer, since most sessions are idle, and go on
// with a large one when reads fill it.
const (
	smallBuffer = 16 << 10
	largeBuffer = 256 << 10
)

var largeBuffers = sync.Pool{New: func() any { b := make([]byte, largeBuffer); return &b }}

// pump copies from src to dst until either fails and tells count of every
// piece that was written. The error is dst's, or src's unless that is io.EOF.
func pump(dst io.Writer, src io.Reader, count func(int)) error {
	buffer := make([]byte, smallBuffer)
	var large *[]byte
	defer func() {
		if large != nil {
			largeBuffers.Put(large)
		}
	}()
	for {
		n, err := src.Read(buffer)
		if n > 0 {
			if _, err := dst.Write(buffer[:n]); err != nil {
				return writeError{err}
			}
			count(n)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if n == len(buffer) && large == nil {
			large = largeBuffers.Get().(*[]byte)
			buffer = *large
		}
	}
}

// writeError tells a failed destination from a failed source.
type writeError struct{ error }

func (e writeError) Unwrap() error { return e.error }

// stream is a connection of which one direction can be ended.
type stream interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// join copies both ways between a channel and our end until both directions
// have ended, passing on the end of each, and closes both. requests are the
// channel's; it refuses them all.
func (c *connection) join(channel ssh.Channel, requests <-chan *ssh.Request, ours stream, use Use) {
	var copied, closed sync.WaitGroup
	delivered := make(chan struct{})
	copied.Go(func() {
		defer close(delivered)
		if pump(ours, channel, use.In) != nil {
			ours.Close() // nothing will come back from an end that failed
			return
		}
		ours.CloseWrite()
	})
	copied.Go(func() {
		if pump(channel, ours, use.Out) != nil {
			channel.Close()
			return
		}
		channel.CloseWrite()
	})
	closed.Go(func() {
		ssh.DiscardRequests(requests)
		// The channel is closed. What the client sent before is still to be
		// delivered, but not to an end that does not read.
		select {
		case <-delivered:
		case <-time.After(Leftovers):
		case <-c.alive.Done():
			pauseFor(delivered, time.Second)
		}
		ours.Close()
	})
	copied.Wait()
	channel.Close()
	ours.Close()
	closed.Wait()
	use.Close()
}

// pauseFor waits for done, at most for d.
func pauseFor(done <-chan struct{}, d time.Duration) {
	select {
	case <-done:
	case <-time.After(d):
	}
}
