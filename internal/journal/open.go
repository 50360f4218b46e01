package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// Options say what a journal stands between.
type Options struct {
	// Path and Args start the process of the journal, which has to call Main.
	Path string
	Args []string // with the program's name
	Env  []string
	// Dir is the journal's own directory. It is there, empty, and belongs to the
	// user that Attr names.
	Dir     string
	Attr    *syscall.SysProcAttr
	Plugins []Upstream
	// Serial says that terraform makes one change at a time, so that of several
	// objects of one type it is known which one a change is of.
	Serial bool
	Engine string // version of terraform, for the record
	// Types are those of resources and data that terraform may ask for: of others
	// it is not told, since it takes long to read of them all. Nil: any.
	Types []string
}

// Journal is a journal whose process runs.
type Journal struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	done    chan struct{} // closed: the process has ended
	said    tail
	sockets []string
	pid     int
	plugins []Upstream

	mu      sync.Mutex
	asked   int
	waiting map[int]chan answer
	gone    bool
	ending  sync.Once
}

// Open starts a journal. Until Release nothing passes that could change
// anything; when whoever opened it dies before, nothing ever does.
func Open(ctx context.Context, o Options) (*Journal, error) {
	j := &Journal{done: make(chan struct{}), waiting: map[int]chan answer{}, plugins: o.Plugins}
	if err := j.open(ctx, o); err != nil {
		j.Close()
		if last := j.said.String(); last != "" {
			err = fmt.Errorf("%w; it said: %s", err, last)
		}
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	return j, nil
}

func (j *Journal) open(ctx context.Context, o Options) error {
	attr := &syscall.SysProcAttr{}
	if o.Attr != nil {
		copied := *o.Attr
		attr = &copied
	}
	attr.Setpgid = !attr.Setsid
	j.cmd = &exec.Cmd{Path: o.Path, Args: o.Args, Env: silent(o.Env), Dir: o.Dir, SysProcAttr: attr, Stderr: &j.said}
	in, err := j.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := j.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := j.cmd.Start(); err != nil {
		return err
	}
	j.in = in
	go func() {
		j.listen(out)
		_ = j.cmd.Wait()
		close(j.done)
	}()
	a, err := j.ask(ctx, order{Open: &opening{Dir: o.Dir, Plugins: o.Plugins, Serial: o.Serial, Engine: o.Engine, Types: o.Types}})
	if err != nil {
		return err
	}
	if len(a.Sockets) != len(o.Plugins) {
		return errors.New("it does not serve every plugin")
	}
	for _, name := range a.Sockets {
		j.sockets = append(j.sockets, filepath.Join(o.Dir, name))
	}
	j.pid = a.Pid
	return nil
}

// listen takes the answers until there are no more.
func (j *Journal) listen(out io.Reader) {
	answers := json.NewDecoder(out)
	for {
		var a answer
		if answers.Decode(&a) != nil {
			break
		}
		j.mu.Lock()
		if c := j.waiting[a.Question]; c != nil {
			c <- a
			delete(j.waiting, a.Question)
		}
		j.mu.Unlock()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.gone = true
	for _, c := range j.waiting {
		close(c)
	}
	clear(j.waiting)
}

// errGone is what is asked of a journal whose process has ended.
var errGone = errors.New("the journal's process has ended")

// tell sends an order; question makes it one that is answered on c.
func (j *Journal) tell(o order, c chan answer) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.gone {
		return errGone
	}
	if c != nil {
		j.asked++
		o.Question = j.asked
		j.waiting[o.Question] = c
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = j.in.Write(append(text, '\n'))
	return err
}

func (j *Journal) ask(ctx context.Context, o order) (answer, error) {
	c := make(chan answer, 1)
	if err := j.tell(o, c); err != nil {
		return answer{}, err
	}
	select {
	case a, ok := <-c:
		switch {
		case !ok:
			return answer{}, errGone
		case a.Error != "":
			return answer{}, errors.New(a.Error)
		}
		return a, nil
	case <-ctx.Done():
		return answer{}, context.Cause(ctx)
	}
}

// Reattach is the text for TF_REATTACH_PROVIDERS, by which terraform that works
// in dir speaks to the plugins through the journal.
func (j *Journal) Reattach(dir string) (string, error) {
	type address struct{ Network, String string }
	type plugin struct {
		Protocol        string
		ProtocolVersion int
		Pid             int // terraform gives a plugin up when this process is gone
		Test            bool
		Addr            address
	}
	list := map[string]plugin{}
	for i, up := range j.plugins {
		socket, err := filepath.Rel(dir, j.sockets[i])
		if err != nil {
			return "", err
		}
		list[up.Source] = plugin{Protocol: "grpc", ProtocolVersion: up.Protocol, Pid: j.pid, Test: true, Addr: address{"unix", socket}}
	}
	var b bytes.Buffer
	err := json.NewEncoder(&b).Encode(list)
	return string(bytes.TrimSpace(b.Bytes())), err
}

// Planned is what plugins answered so far when terraform asked them for a plan,
// where something has to be replaced, and for objects of these types.
func (j *Journal) Planned(ctx context.Context, types ...string) ([]Planned, error) {
	a, err := j.ask(ctx, order{Plans: append([]string{""}, types...)})
	return a.Plans, err
}

// Release lets the changes of plan through, which was judged, and no others. It
// is written down before the first of them is made.
func (j *Journal) Release(ctx context.Context, plan []Change) error {
	_, err := j.ask(ctx, order{Release: &judged{Plan: plan}})
	return err
}

// Deny lets nothing through for ever. Terraform fails with why.
func (j *Journal) Deny(why string) { _ = j.tell(order{Deny: why}, nil) }

// Begins tells that terraform has said which change it begins with.
func (j *Journal) Begins(c Change) { _ = j.tell(order{Began: &c}, nil) }

// Stop asks the plugins to end what they are at.
func (j *Journal) Stop() { _ = j.tell(order{StopAll: true}, nil) }

// Settle waits until no change is running.
func (j *Journal) Settle(ctx context.Context) error {
	_, err := j.ask(ctx, order{Settle: true})
	return err
}

// Done is closed when the journal's process has ended.
func (j *Journal) Done() <-chan struct{} { return j.done }

// Close ends the journal. Changes that are running are cut: Settle comes first.
func (j *Journal) Close() {
	j.ending.Do(func() {
		if j.cmd == nil || j.cmd.Process == nil {
			return
		}
		_ = j.cmd.Process.Kill()
		<-j.done
	})
}
