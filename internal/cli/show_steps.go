package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/api"
)

// showSteps prints the steps of the start of each agent, with how long they
// took, or have taken so far.
func (a *app) showSteps(w api.Workspace, now time.Time) {
	header := []string{"STEP", "STATUS", "TOOK", "NOTE"}
	several := len(w.Agents) > 1
	if several {
		header = append([]string{"AGENT"}, header...)
	}
	var rows [][]string
	for _, g := range w.Agents {
		for _, s := range g.Steps {
			row := []string{cell(s.Name), a.stepStatus(s.Status), stepTook(s, now), cell(s.Detail)}
			if several {
				row = append([]string{cell(g.Name)}, row...)
			}
			rows = append(rows, row)
		}
	}
	if len(rows) > 0 {
		a.say("")
		a.table("", header, rows)
	}
}

func (a *app) stepStatus(s berth.StepStatus) string {
	switch s {
	case berth.StepFailed, berth.StepTimeout:
		return a.look.bad(cell(string(s)))
	case berth.StepWarning:
		return a.look.warn(cell(string(s)))
	}
	return cell(string(s))
}

// stepTook is how long a step took; … behind it says that it goes on.
func stepTook(s berth.Step, now time.Time) string {
	end, more := s.EndedAt, ""
	if end.IsZero() {
		end, more = now, "…"
	}
	took := max(end.Sub(s.StartedAt), 0)
	round := 10 * time.Millisecond
	if took > time.Minute {
		round = time.Second
	}
	return took.Round(round).String() + more
}

// onlyStep lets lines of one step through to show.
func onlyStep(name string, show func(berth.Log) error) func(berth.Log) error {
	return func(l berth.Log) error {
		if !strings.EqualFold(l.Source, name) {
			return nil
		}
		return show(l)
	}
}

// checkStep wants a step of that name, or anything else that logs under it, to
// be there.
func checkStep(w api.Workspace, agent, name string) error {
	var names []string
	for _, g := range w.Agents {
		if agent != "" && !strings.EqualFold(g.Name, agent) {
			continue
		}
		for _, s := range g.Steps {
			names = append(names, s.Name)
		}
		for _, s := range g.Scripts { // those of stops and schedules
			names = append(names, s.DisplayName)
		}
	}
	names = append(names, "agent")
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return nil
		}
	}
	return berth.Errorf(berth.NotFound, "there is no step %q: %s", name, fmt.Sprintf("berth show %s lists them", w.Name))
}
