package warm

import (
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"syscall"
)

// warden is a process that ends the plugins that no build uses when we are gone,
// in whatever way: they know nothing of it.
type warden struct {
	in   io.Closer // its standard input, which ends with us
	gone chan struct{}
}

// watched sees to it that there is a warden.
func (h *House) watched() error {
	if len(h.o.Warden) == 0 {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.warden != nil {
		select {
		case <-h.warden.gone:
		default:
			return nil
		}
	}
	w, err := h.startWarden()
	if err != nil {
		return fmt.Errorf("starting the warden of plugins: %w", err)
	}
	h.warden = w
	return nil
}

func (h *House) startWarden() (*warden, error) {
	dir, err := filepath.Abs(h.o.Dir)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(h.o.Warden[0], append(h.o.Warden[1:len(h.o.Warden):len(h.o.Warden)], dir)...)
	cmd.Args[0] = "berth-plugin" // by another name it would be one plugin
	cmd.Env, cmd.Dir = h.o.Env, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: h.o.User}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w := &warden{in: in, gone: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(w.gone)
	}()
	return w, nil
}
