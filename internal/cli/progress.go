package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// progress shows on standard error what is being waited for: as a line that
// moves on a terminal, as a line for each news elsewhere.
type progress struct {
	w     io.Writer
	live  bool
	width int
	dim   func(...string) string

	mu     sync.Mutex
	status string
	since  time.Time
	frame  int
	stop   chan struct{}
	done   sync.WaitGroup
}

var frames = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// newProgress begins; end it.
func (a *app) newProgress() *progress {
	p := &progress{w: a.err, live: a.errTTY, dim: a.look.dim, width: 80, since: time.Now(), stop: make(chan struct{})}
	if f, ok := a.err.(interface{ Fd() uintptr }); ok && p.live {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			p.width = w
		}
	}
	if p.live {
		p.done.Go(p.spin)
	}
	return p
}

func (p *progress) spin() {
	t := time.NewTicker(100 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-t.C:
			p.mu.Lock()
			p.frame++
			p.draw()
			p.mu.Unlock()
		}
	}
}

// say tells what is going on now.
func (p *progress) say(status string) {
	status = cell(status)
	p.mu.Lock()
	defer p.mu.Unlock()
	if status == p.status {
		return
	}
	p.status = status
	if p.live {
		p.draw()
	} else if status != "" {
		fmt.Fprintln(p.w, status)
	}
}

// line prints a line that stays.
func (p *progress) line(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	fmt.Fprintln(p.w, s)
	if p.live {
		p.draw()
	}
}

// draw repaints the moving line; p.mu is held.
func (p *progress) draw() {
	if p.status == "" {
		return
	}
	took := time.Since(p.since).Truncate(time.Second)
	text := fmt.Sprintf("%s %s %s", frames[p.frame%len(frames)], p.status, p.dim(took.String()))
	fmt.Fprint(p.w, "\r"+ansi.Truncate(text, p.width-1, "…")+"\x1b[K")
}

// end takes the moving line away.
func (p *progress) end() {
	if !p.live {
		return
	}
	close(p.stop)
	p.done.Wait()
	fmt.Fprint(p.w, "\r\x1b[K")
}
