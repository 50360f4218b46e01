package journal

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// journal is what the proxies of one build share.
type journal struct {
	gate *gate
	book *book
	// serial says that terraform makes one change at a time, so that the one
	// that it named last is the one that it makes.
	serial bool
	types  map[string]bool // that the build may use; nil: any

	mu      sync.Mutex
	shapes  map[string][]byte // response to GetProviderSchema by plugin
	told    map[string]bool   // types whose shape is written down
	planned []Planned
	plan    []Change // judged
	seq     int64
	begun   map[int64]Record
	made    map[string]bool // changes of the plan that are over, by key
	started []Change        // as terraform named them; Actions has one
	news    chan struct{}   // closed when started grows

	running int
	closing bool
	idle    chan struct{} // closed while nothing runs
}

// Planned is what a plugin answered when terraform asked it for a plan.
type Planned struct {
	Source  string   `json:"source"`
	Type    string   `json:"type"`
	Shape   []byte   `json:"shape,omitempty"`
	Prior   []byte   `json:"prior,omitempty"`
	Planned []byte   `json:"planned,omitempty"`
	Replace [][]byte `json:"replace,omitempty"` // paths that force a replacement
}

func newJournal(path string, o opening) (*journal, error) {
	b, err := openBook(path)
	if err != nil {
		return nil, err
	}
	j := &journal{
		gate: newGate(), book: b, serial: o.Serial, shapes: map[string][]byte{}, told: map[string]bool{}, begun: map[int64]Record{},
		made: map[string]bool{}, news: make(chan struct{}), idle: make(chan struct{}),
	}
	close(j.idle)
	if o.Types != nil {
		j.types = map[string]bool{}
		for _, name := range o.Types {
			j.types[name] = true
		}
	}
	return j, b.write(Record{Event: Opened, Engine: o.Engine})
}

// release opens the gate for a plan that was judged. That is written down first.
func (j *journal) release(plan []Change) error {
	if err := j.book.write(Record{Event: Released, Plan: plan}); err != nil {
		return err
	}
	j.mu.Lock()
	j.plan = plan
	j.mu.Unlock()
	j.gate.decide(true, "")
	return nil
}

// shut lets no further change begin.
func (j *journal) shut() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closing = true
}

// enter counts a change that is about to be made.
func (j *journal) enter() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closing {
		return false
	}
	if j.running++; j.running == 1 {
		j.idle = make(chan struct{})
	}
	return true
}

func (j *journal) leave() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.running--; j.running == 0 {
		close(j.idle)
	}
}

// quiet is closed when no change is running.
func (j *journal) quiet() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.idle
}

func (j *journal) keepShapes(source string, response []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.shapes[source] = response
}

func (j *journal) keepPlanned(source string, in, out []byte) {
	p := Planned{Source: source, Type: string(last(in, requestType)), Prior: last(in, requestPrior), Planned: last(out, responseState)}
	each(out, func(f fieldNumber, b []byte, _ uint64) {
		if f == planResponseReplace && b != nil {
			p.Replace = append(p.Replace, b)
		}
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	j.planned = append(j.planned, p)
}

// plans are the answers for types of these names, and those that want something
// replaced.
func (j *journal) plans(types []string) []Planned {
	j.mu.Lock()
	defer j.mu.Unlock()
	var list []Planned
	for _, p := range j.planned {
		if len(p.Replace) > 0 || slices.Contains(types, p.Type) {
			p.Shape = schemaOf(j.shapes[p.Source], p.Type)
			list = append(list, p)
		}
	}
	return list
}

// begin writes a change down, and the shape of its type before the first of it.
func (j *journal) begin(ctx context.Context, source string, in []byte) (seq int64, err error) {
	r := Record{
		Event: Begun, Source: source, Type: string(last(in, requestType)),
		Prior: last(in, requestPrior), Planned: last(in, applyPlanned), Config: last(in, requestConfig), Private: last(in, applyPrivate),
	}
	switch {
	case isNull(r.Planned):
		r.Action = "delete"
	case isNull(r.Prior):
		r.Action = "create"
	default:
		r.Action = "update"
	}
	r.Addresses = j.addresses(ctx, r.Type, r.Action)
	if len(r.Addresses) == 0 {
		return 0, fmt.Errorf("nothing of the plan that was judged has to %s a %s", r.Action, r.Type)
	}
	j.mu.Lock()
	j.seq++
	r.Seq = j.seq
	j.begun[r.Seq] = r
	var shape *Record
	if !j.told[r.Type] {
		shape = &Record{Event: Schema, Source: source, Type: r.Type, Shape: schemaOf(j.shapes[source], r.Type)}
		j.told[r.Type] = true
	}
	j.mu.Unlock()
	if shape != nil {
		if err := j.book.write(*shape); err != nil {
			return 0, err
		}
	}
	return r.Seq, j.book.write(r)
}

// end writes down what came of a change.
func (j *journal) end(seq int64, in, out []byte, lost error) error {
	r := Record{Event: Ended, Seq: seq, State: last(out, responseState), Private: last(out, applyResponsePrivate)}
	if lost != nil {
		r.Lost = lost.Error()
	} else if list := problems(out, applyResponseProblems); len(list) > 0 {
		r.Failed = list[0]
	}
	j.mu.Lock()
	b := j.begun[seq]
	delete(j.begun, seq)
	if len(b.Addresses) == 1 {
		j.made[b.Addresses[0]+" "+b.Action] = true
	}
	j.mu.Unlock()
	return j.book.write(r)
}

// nameWait is how long a change waits for terraform's word of which it is.
const nameWait = 2 * time.Second

// addresses are the objects of the judged plan that a change may be of.
func (j *journal) addresses(ctx context.Context, kind, action string) []string {
	patience := time.NewTimer(nameWait)
	defer patience.Stop()
	for {
		j.mu.Lock()
		var list []string
		for _, c := range j.plan {
			if c.Type == kind && slices.Contains(c.Actions, action) && !j.made[c.Address+" "+action] {
				list = append(list, c.Address)
			}
		}
		news, named := j.news, j.lastNamed(kind, action)
		j.mu.Unlock()
		switch {
		case len(list) < 2 || !j.serial:
			return list
		case slices.Contains(list, named):
			return []string{named}
		}
		select {
		case <-news:
		case <-patience.C:
			return list
		case <-ctx.Done():
			return list
		}
	}
}

// lastNamed is the object that terraform said last that it begins with.
func (j *journal) lastNamed(kind, action string) string {
	for _, c := range slices.Backward(j.started) {
		if c.Type == kind && slices.Contains(c.Actions, action) {
			return c.Address
		}
	}
	return ""
}

// begins notes that terraform said that it begins with a change.
func (j *journal) begins(c Change) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.started = append(j.started, c)
	close(j.news)
	j.news = make(chan struct{})
}
