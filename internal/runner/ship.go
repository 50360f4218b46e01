package runner

import (
	"context"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

const (
	batchEvery = 200 * time.Millisecond // between two calls with log lines
	batchLines = 1000
	lookEvery  = time.Second // at the record, should a ring get lost
)

// isEnded tells whether nothing will be written to the record any more.
func (h *held) isEnded() bool {
	select {
	case <-h.ended:
		return true
	default:
		return false
	}
}

// rest waits for a ring, the next look, or ctx.
func rest(ctx context.Context, ring <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ring:
	case <-t.C:
	case <-ctx.Done():
	}
}

// keepLine stays connected to the keeper until the build's end.
func (h *held) keepLine(ctx context.Context) {
	for n := 0; ctx.Err() == nil && !h.isEnded(); n++ {
		if h.line.Serve(h.ended) == nil {
			n = 0
		}
		// Right after its start a keeper needs a moment to listen.
		rest(ctx, h.ended, min(lookEvery, 5*time.Millisecond<<min(n, 8)))
	}
}

// shipLog sends the log from where the server has it, and all of it before it
// returns after the build's end.
func (h *held) shipLog(ctx context.Context) {
	var from acked
	if _, err := readJSON(h.rec.path(fileAcked), &from); err != nil {
		from = acked{} // resent; the server keeps each number once
	}
	tail := &logTail{path: h.rec.path(fileLog), offset: from.Offset, seq: from.Seq}
	for ctx.Err() == nil {
		ring, last := h.bell.C(), h.isEnded()
		lines, to, err := tail.Next(batchLines)
		if err != nil {
			h.r.o.Log.Error("reading a build's log", "build", h.rec.name(), "error", err)
		}
		if len(lines) == 0 && to.Offset == tail.offset {
			if last {
				return
			}
			rest(ctx, ring, lookEvery)
			continue
		}
		if len(lines) > 0 && !h.sendLines(ctx, lines) {
			return
		}
		tail.Ack(to)
		replaceLoosely(h.rec.path(fileAcked), to)
		if !last {
			rest(ctx, h.ended, batchEvery)
		}
	}
}

// sendLines is false when there is no use in sending more. Lines that the
// server finds invalid are given up rather than block all that follow.
func (h *held) sendLines(ctx context.Context, lines []berth.Log) bool {
	err := h.insist(ctx, "shipping a log", callTime, func(ctx context.Context) error {
		return h.r.o.Client.RunnerLogs(ctx, h.rec.build, api.RunnerLogs{RunnerID: h.r.id, Attempt: h.rec.attempt, Lines: lines})
	})
	switch {
	case err == nil:
		return true
	case berth.ErrorCode(err) == berth.Invalid:
		h.r.o.Log.Error("the server refused lines of a build's log; they are left out", "build", h.rec.name(), "lines", len(lines), "error", err)
		return true
	case berth.ErrorCode(err) == berth.Conflict:
		h.disown(errorText(err))
	}
	return false
}

// shipStates sends each newer revision as it appears. While the server is away
// revisions overtake each other: only the newest matters. The last one goes
// with the result.
func (h *held) shipStates(ctx context.Context) {
	for ctx.Err() == nil {
		ring := h.bell.C()
		var s api.RunnerState
		if found, err := readJSON(h.rec.path(fileState), &s); err == nil && found {
			if h.sendState(ctx, s) != nil {
				return
			}
		}
		rest(ctx, ring, lookEvery)
	}
}

// sendState sends one revision, unless this or a newer one was sent; an invalid
// one is reported and passed over.
func (h *held) sendState(ctx context.Context, s api.RunnerState) error {
	h.stateMu.Lock()
	defer h.stateMu.Unlock()
	if s.Serial < h.sent {
		return nil
	}
	s.RunnerID, s.Attempt = h.r.id, h.rec.attempt
	err := h.insist(ctx, "shipping a state", sendTime, func(ctx context.Context) error {
		return h.r.o.Client.RunnerState(ctx, h.rec.build, s)
	})
	switch berth.ErrorCode(err) {
	case berth.Conflict:
		h.disown(errorText(err))
	case berth.Invalid:
		h.r.o.Log.Error("the server refused a state", "build", h.rec.name(), "serial", s.Serial, "error", err)
		err = nil
	}
	if err == nil {
		h.sent = s.Serial + 1
	}
	return err
}

// askVerdicts brings the keeper's questions to the server and the verdicts
// back. A question that an earlier run of ours has asked is asked again:
// judging changes nothing.
func (h *held) askVerdicts(ctx context.Context) {
	told := 0
	for ctx.Err() == nil {
		ring := h.bell.C()
		var q question
		var a answer
		asked, err := readJSON(h.rec.path(fileJudge), &q)
		if err == nil && asked && q.N > told {
			if _, err := readJSON(h.rec.path(fileVerdict), &a); err == nil && a.N >= q.N {
				told = a.N
				continue
			}
			verdict, ok := h.verdict(ctx, q.Plan)
			if !ok {
				return
			}
			h.line.Tell(func(c *command) { c.N, c.Verdict = q.N, &verdict })
			told = q.N
			continue
		}
		rest(ctx, ring, lookEvery)
	}
}

func (h *held) verdict(ctx context.Context, plan berth.Plan) (berth.Verdict, bool) {
	var verdict berth.Verdict
	err := h.insist(ctx, "asking for a verdict", callTime, func(ctx context.Context) (err error) {
		verdict, err = h.r.o.Client.RunnerJudge(ctx, h.rec.build, api.RunnerPlan{RunnerID: h.r.id, Attempt: h.rec.attempt, Plan: plan})
		return err
	})
	switch berth.ErrorCode(err) {
	case "":
		return verdict, true
	case berth.Invalid: // no verdict is no leave to apply
		return berth.Verdict{ErrorCode: berth.FailedResult, Reason: "the server could not judge the plan: " + errorText(err)}, true
	case berth.Conflict:
		h.disown(errorText(err))
	}
	return verdict, false
}
