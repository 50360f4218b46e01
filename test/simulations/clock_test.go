package simulations

import (
	"container/heap"
	"time"
)

// agenda is what is going to happen, the soonest first; of what happens at one
// time, what was planned first.
type agenda struct {
	plans []plan
	count int
}

type plan struct {
	at     time.Time
	number int
	do     func()
}

func (a *agenda) Len() int      { return len(a.plans) }
func (a *agenda) Swap(i, j int) { a.plans[i], a.plans[j] = a.plans[j], a.plans[i] }
func (a *agenda) Push(p any)    { a.plans = append(a.plans, p.(plan)) }
func (a *agenda) Less(i, j int) bool {
	if !a.plans[i].at.Equal(a.plans[j].at) {
		return a.plans[i].at.Before(a.plans[j].at)
	}
	return a.plans[i].number < a.plans[j].number
}

func (a *agenda) Pop() any {
	last := len(a.plans) - 1
	p := a.plans[last]
	a.plans[last].do = nil
	a.plans = a.plans[:last]
	return p
}

// add plans something.
func (a *agenda) add(at time.Time, do func()) {
	a.count++
	heap.Push(a, plan{at: at, number: a.count, do: do})
}

// next is when something happens next; ok is false when nothing does.
func (a *agenda) next() (at time.Time, ok bool) {
	if len(a.plans) == 0 {
		return at, false
	}
	return a.plans[0].at, true
}

// span is a time from one moment to another.
type span struct{ from, to time.Time }

// has tells whether t is in the span.
func (s span) has(t time.Time) bool { return !t.Before(s.from) && t.Before(s.to) }

// minute is the first time at or after t at which servers look for what is due.
func (y *year) minute(t time.Time) time.Time {
	m := t.Truncate(y.every)
	if m.Before(t) {
		m = m.Add(y.every)
	}
	return m
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
