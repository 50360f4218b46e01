package berth

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// ms is so many milliseconds after noon.
func ms(n int) time.Time { return noon.Add(time.Duration(n) * time.Millisecond) }

// told is the timings as "stage/resource from-to", with * of those on the path.
func told(list []Timing, on []bool) (all []string) {
	for i, t := range list {
		s := t.Stage
		if t.Agent != "" {
			s += "@" + t.Agent
		}
		if t.Resource != "" {
			s += "/" + t.Resource
		}
		s += fmt.Sprintf(" %d-", t.Start.Sub(noon).Milliseconds())
		if !t.End.IsZero() {
			s += fmt.Sprint(t.End.Sub(noon).Milliseconds())
		}
		if on != nil && on[i] {
			s += "*"
		}
		all = append(all, s)
	}
	return all
}

func TestWholeTimings(t *testing.T) {
	t.Parallel()
	b := Build{CreatedAt: ms(0), StartedAt: ms(100), CompletedAt: ms(2000)}
	terraform := []Timing{
		{Stage: "init", Start: ms(150), End: ms(300)},
		{Stage: "plan", Start: ms(300), End: ms(800)},
		{Stage: "plan", Action: "show", Start: ms(800), End: ms(900)},
		{Stage: "apply", Start: ms(950), End: ms(1900)},
		{Stage: "apply", Resource: "net", Start: ms(960), End: ms(1100)},
		{Stage: "apply", Resource: "volume", Start: ms(960), End: ms(1050)},
		{Stage: "apply", Resource: "box", Start: ms(1105), End: ms(1850)},
	}
	quick := Agent{AgentSpec: AgentSpec{Name: "quick"}, ConnectedAt: ms(2100), StartedAt: ms(2110), ReadyAt: ms(2200),
		Steps: []Step{{Name: "dotfiles", StartedAt: ms(2120), EndedAt: ms(2190)}}}
	slow := Agent{AgentSpec: AgentSpec{Name: "slow"}, ConnectedAt: ms(2300), StartedAt: ms(2300), ReadyAt: ms(4000),
		// Its clock is an hour ahead.
		Steps: []Step{{Name: "install", StartedAt: ms(2310).Add(time.Hour), EndedAt: ms(4000).Add(time.Hour)}}}
	list := WholeTimings(b, terraform, append(Inside(quick, b), Inside(slow, b)...))
	got := strings.Join(told(list, Critical(list)), "\n")
	want := strings.TrimSpace(`
wait 0-100*
prepare 100-150*
init 150-300*
plan 300-800*
plan 800-900*
judge 900-950*
apply 950-1900*
apply/net 960-1100*
apply/volume 960-1050
apply/box 1105-1850*
finish 1900-2000*
connect@quick 2000-2100
connect@slow 2000-2300*
start@quick 2110-2200
start@quick/dotfiles 2120-2190
start@slow 2300-4000*
start@slow/install 2310-4000*`)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTimingsUnderWay(t *testing.T) {
	t.Parallel()
	for want, b := range map[string]Build{
		"wait 0-":               {CreatedAt: ms(0)},
		"wait 0-500":            {CreatedAt: ms(0), CanceledAt: ms(500), CompletedAt: ms(500)},
		"wait 0-100 build 100-": {CreatedAt: ms(0), StartedAt: ms(100)},
	} {
		list := WholeTimings(b, nil, nil)
		Critical(list)
		if got := strings.Join(told(list, nil), " "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What an agent did for another build is not of this one.
func TestInside(t *testing.T) {
	t.Parallel()
	b := Build{CreatedAt: ms(0), StartedAt: ms(100), CompletedAt: ms(2000)}
	old := Agent{AgentSpec: AgentSpec{Name: "main"}, ConnectedAt: ms(-900), StartedAt: ms(-800), ReadyAt: ms(-100)}
	if got := Inside(old, b); len(got) != 0 {
		t.Errorf("of an agent that was there: %v", told(got, nil))
	}
	first := Agent{AgentSpec: AgentSpec{Name: "main"}, ConnectedAt: ms(2100), StartedAt: ms(2200),
		Steps: []Step{{Name: "a", StartedAt: ms(2210), EndedAt: ms(2300)}, {Name: "b", StartedAt: ms(2300)}}}
	kept := MergeInside(nil, Inside(first, b))
	if got := told(kept, nil); !slices.Equal(got, []string{"connect@main 2000-2100", "start@main 2200-", "start@main/a 2210-2300", "start@main/b 2300-"}) {
		t.Errorf("%v", got)
	}
	first.ReadyAt, first.Steps[1].EndedAt = ms(2500), ms(2490)
	kept = MergeInside(kept, Inside(first, b))
	again := first
	again.StartedAt, again.ReadyAt, again.Steps = ms(9000), ms(9100), nil
	kept = MergeInside(kept, Inside(again, b))
	other := Agent{AgentSpec: AgentSpec{Name: "other"}, ConnectedAt: ms(2600)}
	kept = MergeInside(kept, Inside(other, b))
	if got := told(kept, nil); !slices.Equal(got, []string{"connect@main 2000-2100", "start@main 2200-2500", "start@main/a 2210-2300", "start@main/b 2300-2490", "connect@other 2000-2600"}) {
		t.Errorf("%v", got)
	}
}

// Of what follows one another without a gap, beside anything else, the path
// leaves nothing out: its parts cover the whole.
func TestCriticalCovers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var list []Timing
		at := 0
		for range rapid.IntRange(1, 8).Draw(t, "stages") {
			end := at + rapid.IntRange(1, 1000).Draw(t, "takes")
			list = append(list, Timing{Stage: fmt.Sprint("s", at), Start: ms(at), End: ms(end)})
			for range rapid.IntRange(0, 4).Draw(t, "parts") {
				from := rapid.IntRange(at, end).Draw(t, "from")
				list = append(list, Timing{Stage: fmt.Sprint("s", at), Resource: "r", Start: ms(from), End: ms(rapid.IntRange(from, end).Draw(t, "to"))})
			}
			at = end
		}
		on := Critical(list)
		var covered time.Duration
		for i, x := range list {
			if x.Resource == "" && on[i] {
				covered += x.End.Sub(x.Start)
			}
		}
		// A stage may be missed that is shorter than two things may be apart.
		if missing := ms(at).Sub(noon) - covered; missing > 8*near {
			t.Fatalf("%v of %v is on no path: %v", missing, ms(at).Sub(noon), told(list, on))
		}
	})
}
