package berth

import (
	"slices"
	"time"
)

// Timing is how long one stage of a build took, or one part of a stage: a
// resource, or a step of an agent's start. A whole stage has no Resource.
type Timing struct {
	Stage    string     `json:"stage"`
	Agent    string     `json:"agent,omitempty"`    // name, of what ran inside
	Resource string     `json:"resource,omitempty"` // address, or name of a step
	Action   string     `json:"action,omitempty"`   // what was done to the resource, or kind of the step
	Status   StepStatus `json:"status,omitempty"`   // of a step
	ExitCode int        `json:"exit_code,omitempty"`
	Start    time.Time  `json:"start"`
	End      time.Time  `json:"end"` // zero while it goes on
}

// Stages that are not commands of Terraform.
const (
	StageWait    = "wait"    // in the queue
	StagePrepare = "prepare" // between two others: of the runner
	StageJudge   = "judge"   // the plan waits for its verdict
	StageRun     = "build"   // under way: its stages are known once it has ended
	StageFinish  = "finish"  // what was made is sent and written down
	StageConnect = "connect" // an agent: from the end of Terraform to its first link
	StageStart   = "start"   // an agent: the steps of its start
)

// whole tells whether t is a stage, and not a part of one.
func (t Timing) whole() bool { return t.Resource == "" }

// Inside is how long the agent took to connect and through the steps of its
// start, as far as that was for the build b, which made it. An agent that was
// there already before b did neither for it.
func Inside(a Agent, b Build) (list []Timing) {
	if b.CompletedAt.IsZero() {
		return nil
	}
	if !a.ConnectedAt.IsZero() && !a.ConnectedAt.Before(b.CompletedAt) {
		list = append(list, Timing{Stage: StageConnect, Agent: a.Name, Start: b.CompletedAt, End: a.ConnectedAt})
	}
	if a.StartedAt.IsZero() || a.StartedAt.Before(b.CompletedAt) {
		return list
	}
	list = append(list, Timing{Stage: StageStart, Agent: a.Name, Start: a.StartedAt, End: a.ReadyAt})
	steps := make([]Timing, len(a.Steps))
	for i, s := range a.Steps {
		steps[i] = Timing{Stage: StageStart, Agent: a.Name, Resource: s.Name, Action: s.Kind, Status: s.Status, ExitCode: s.ExitCode,
			Start: s.StartedAt, End: s.EndedAt}
	}
	return append(list, between(steps, a.StartedAt, a.ReadyAt)...)
}

// MergeInside puts what is known of an agent now in place of what is kept of it.
// A process of the agent that began after another one was through does not: the
// build's start was the first.
func MergeInside(kept, now []Timing) []Timing {
	for _, n := range now {
		for _, k := range kept {
			if k.Agent == n.Agent && k.Stage == StageStart && n.Stage == StageStart && k.whole() && n.whole() && !k.End.IsZero() && n.Start.After(k.Start) {
				return kept
			}
		}
	}
	ours := func(t Timing) bool { return len(now) > 0 && t.Agent == now[0].Agent }
	return append(slices.DeleteFunc(slices.Clone(kept), ours), now...)
}

// WasReady tells whether an agent of that name is kept as one that was through
// the steps of its start.
func WasReady(kept []Timing, a Agent) bool {
	return slices.ContainsFunc(kept, func(t Timing) bool {
		return t.Agent == a.Name && t.Stage == StageStart && t.whole() && !t.End.IsZero()
	})
}

// between moves timings by another clock as a whole, so that they lie between
// two moments of ours; a zero one is no bound.
func between(list []Timing, from, to time.Time) []Timing {
	first, last := reach(list)
	var by time.Duration
	switch {
	case !to.IsZero() && last.After(to):
		by = to.Sub(last)
	case !first.IsZero() && first.Before(from):
		by = from.Sub(first)
	default:
		return list
	}
	moved := slices.Clone(list)
	for i := range moved {
		moved[i].Start = moved[i].Start.Add(by)
		if !moved[i].End.IsZero() {
			moved[i].End = moved[i].End.Add(by)
		}
	}
	return moved
}

// reach is the first beginning and the last end that are known.
func reach(list []Timing) (first, last time.Time) {
	for _, t := range list {
		if first.IsZero() || t.Start.Before(first) {
			first = t.Start
		}
		if t.End.After(last) {
			last = t.End
		}
	}
	return first, last
}

// least is how long something between two stages takes to be shown.
const least = time.Millisecond

// WholeTimings is all that a build took from when it was asked for until what
// it made was ready: terraform's timings, what lies between them, and inside.
// The stages come in the order of their beginnings, each before its parts.
func WholeTimings(b Build, terraform, inside []Timing) []Timing {
	list := gaps(b, between(terraform, b.StartedAt, b.CompletedAt))
	begins := map[[2]string]time.Time{}
	for _, t := range append(list, inside...) {
		if key := [2]string{t.Stage, t.Agent}; begins[key].IsZero() || t.Start.Before(begins[key]) {
			begins[key] = t.Start
		}
	}
	list = append(list, inside...)
	slices.SortStableFunc(list, func(x, y Timing) int {
		if c := begins[[2]string{x.Stage, x.Agent}].Compare(begins[[2]string{y.Stage, y.Agent}]); c != 0 {
			return c
		}
		if x.Stage == y.Stage && x.Agent == y.Agent && x.whole() != y.whole() {
			return map[bool]int{true: -1, false: 1}[x.whole()]
		}
		return x.Start.Compare(y.Start)
	})
	return list
}

// gaps adds what a build did before, between and after the commands of
// Terraform.
func gaps(b Build, terraform []Timing) []Timing {
	list := slices.Clone(terraform)
	add := func(stage string, from, to time.Time) {
		if !from.IsZero() && (to.IsZero() || to.Sub(from) >= least) {
			list = append(list, Timing{Stage: stage, Start: from, End: to})
		}
	}
	switch {
	case !b.StartedAt.IsZero():
		add(StageWait, b.CreatedAt, b.StartedAt)
	case b.CompletedAt.IsZero():
		add(StageWait, b.CreatedAt, time.Time{})
		return list
	default: // canceled in the queue
		add(StageWait, b.CreatedAt, b.CompletedAt)
		return list
	}
	at := b.StartedAt
	for _, t := range terraform {
		if !t.whole() {
			continue
		}
		stage := StagePrepare
		if t.Stage == "apply" {
			stage = StageJudge
		}
		add(stage, at, t.Start)
		if t.End.After(at) {
			at = t.End
		}
	}
	if !b.CompletedAt.IsZero() {
		add(StageFinish, at, b.CompletedAt)
	} else {
		add(StageRun, at, time.Time{})
	}
	return list
}

// near is how far apart the end of one thing and the beginning of the next that
// waited for it may be.
const near = 20 * time.Millisecond

// Critical tells of each timing whether it is on the path that the whole took
// its length from: had it been shorter, the end would have come sooner. Found
// from the end backwards: before what began last, what ended last before that.
func Critical(list []Timing) []bool {
	on := make([]bool, len(list))
	parted := map[[2]string]bool{} // stages that have parts
	for _, t := range list {
		if !t.whole() {
			parted[[2]string{t.Stage, t.Agent}] = true
		}
	}
	first, at := reach(list)
	for at.After(first) {
		part, stage := -1, -1
		for i, t := range list {
			if t.End.IsZero() || !t.Start.Before(at) || !t.End.After(t.Start) {
				continue
			}
			if t.whole() && parted[[2]string{t.Stage, t.Agent}] {
				if !t.End.Before(at) && (stage < 0 || t.Start.After(list[stage].Start)) {
					stage = i
				}
			} else if !t.End.After(at.Add(near)) && (part < 0 || later(t, list[part])) {
				part = i
			}
		}
		switch {
		case part >= 0 && (stage < 0 || list[part].End.After(list[stage].Start)):
			on[part] = true
			at = list[part].Start
		case stage >= 0: // a stage's own time
			on[stage] = true
			at = list[stage].Start
		default:
			return on
		}
	}
	for i, t := range list { // a stage is on it with its parts
		for j, part := range list {
			on[i] = on[i] || t.whole() && on[j] && part.Stage == t.Stage && part.Agent == t.Agent
		}
	}
	return on
}

// later orders what may have been waited for: what ended last, and of such what
// began first.
func later(t, than Timing) bool {
	if d := t.End.Sub(than.End); d > near || d < -near {
		return d > 0
	}
	return t.Start.Before(than.Start)
}
