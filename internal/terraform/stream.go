package terraform

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/berthdev/berth"
)

// stream makes sense of the lines that terraform prints with -json: progress,
// planned changes, diagnostics, timings.
type stream struct {
	stage   string
	log     func(berth.Log)
	planned []plannedChange
	summary bool // the plan was printed whole
	removes int  // changes that end an object, by the plan's summary
	errors  []string
	timings []berth.Timing
	open    map[string]berth.Timing // running changes by address and action
	now     func() time.Time

	onPlan  func()             // the plan was printed whole
	onStart func(streamedHook) // a change is about to be made
}

func newStream(stage string, log func(berth.Log)) *stream {
	return &stream{stage: stage, log: log, open: map[string]berth.Timing{}, now: time.Now}
}

// plannedChange is one change as the stream names it: without values, and
// without the attributes that force a replacement.
type plannedChange struct {
	Address, Previous, Type, Action string
}

// message is one line of the stream; each type has some of the fields.
type message struct {
	Level      string           `json:"@level"`
	Text       string           `json:"@message"`
	Type       string           `json:"type"`
	Change     *streamedChange  `json:"change"`
	Hook       *streamedHook    `json:"hook"`
	Changes    *streamedSummary `json:"changes"`
	Diagnostic *diagnostic      `json:"diagnostic"`
}

type streamedChange struct {
	Resource streamedResource  `json:"resource"`
	Previous *streamedResource `json:"previous_resource"`
	Action   string            `json:"action"`
}

type streamedResource struct {
	Addr    string `json:"addr"`
	Type    string `json:"resource_type"`
	Implied string `json:"implied_provider"`
}

type streamedHook struct {
	Resource    streamedResource `json:"resource"`
	Action      string           `json:"action"`
	Provisioner string           `json:"provisioner"`
	Output      string           `json:"output"`
}

type streamedSummary struct {
	Remove    int    `json:"remove"`
	Forget    int    `json:"forget"`
	Operation string `json:"operation"`
}

// line takes one line of terraform's standard output.
func (s *stream) line(b []byte) {
	var m message
	if json.Unmarshal(b, &m) != nil || m.Level == "" && m.Type == "" {
		s.say("info", string(b))
		return
	}
	switch m.Type {
	case "version":
		s.say("debug", m.Text)
	case "diagnostic":
		s.diagnose(m)
	case "planned_change", "resource_drift":
		s.plan(m)
	case "change_summary":
		if m.Changes != nil && m.Changes.Operation == "plan" {
			s.summary, s.removes = true, m.Changes.Remove+m.Changes.Forget
			s.say("info", m.Text)
			if s.onPlan != nil {
				s.onPlan()
			}
			return
		}
		s.say("info", m.Text)
	case "provision_progress":
		if m.Hook != nil {
			s.say("info", m.Hook.Resource.Addr+": "+m.Hook.Output)
		}
	default:
		s.time(m)
		s.say(level(m), m.Text)
	}
}

// level is that of a line of progress. Reads and refreshes are many and say little.
func level(m message) string {
	switch {
	case m.Level == "error" || m.Level == "warn":
		return m.Level
	case strings.HasPrefix(m.Type, "refresh_"), m.Type == "init_output", m.Type == "outputs", m.Level == "debug", m.Level == "trace",
		m.Hook != nil && m.Hook.Action == "read":
		return "debug"
	}
	return "info"
}

func (s *stream) plan(m message) {
	if m.Change == nil {
		return
	}
	if m.Type == "resource_drift" {
		s.say("debug", m.Text)
		return
	}
	c := plannedChange{Address: m.Change.Resource.Addr, Type: m.Change.Resource.Type, Action: m.Change.Action}
	if m.Change.Previous != nil && m.Change.Previous.Addr != c.Address {
		c.Previous = m.Change.Previous.Addr
	}
	s.planned = append(s.planned, c)
	if s.stage == "plan" {
		s.say("info", m.Text)
	}
}

// time keeps when a change to a resource began and ended.
func (s *stream) time(m message) {
	if m.Hook == nil {
		return
	}
	kind, event, ok := cutLast(m.Type, "_")
	if !ok {
		return
	}
	key := kind + " " + m.Hook.Resource.Addr + " " + m.Hook.Action + m.Hook.Provisioner
	switch event {
	case "start":
		if s.onStart != nil && kind == "apply" {
			s.onStart(*m.Hook)
		}
		action := m.Hook.Action
		if action == "" {
			action = kind
		}
		s.open[key] = berth.Timing{Stage: s.stage, Resource: m.Hook.Resource.Addr, Action: action, Start: s.now()}
	case "complete", "errored":
		if t, ok := s.open[key]; ok {
			delete(s.open, key)
			t.End = s.now()
			s.timings = append(s.timings, t)
		}
	}
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// problem takes one line of terraform's standard error: early failures and crashes.
func (s *stream) problem(b []byte) { s.say("warn", string(b)) }

func (s *stream) say(level, text string) {
	if text = strings.TrimRight(text, " \n"); text != "" {
		s.log(berth.Log{At: s.now(), Level: level, Stage: s.stage, Source: "terraform", Text: text})
	}
}

func (s *stream) diagnose(m message) {
	if m.Diagnostic == nil {
		s.say(m.Level, m.Text)
		return
	}
	d := *m.Diagnostic
	level := "warn"
	if s.stage == "init" && strings.HasPrefix(d.Summary, "Incomplete lock file") {
		level = "debug" // the lock file is ours, and has no hashes at all
	}
	if d.Severity == "error" {
		level = "error"
		s.errors = append(s.errors, d.short())
	}
	s.say(level, d.long())
}

// diagnostic is a warning or an error with its place in the template.
type diagnostic struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	Address  string `json:"address"`
	Range    *struct {
		Filename string `json:"filename"`
		Start    struct {
			Line int `json:"line"`
		} `json:"start"`
	} `json:"range"`
	Snippet *struct {
		Context   string `json:"context"`
		Code      string `json:"code"`
		StartLine int    `json:"start_line"`
		Values    []struct {
			Traversal string `json:"traversal"`
			Statement string `json:"statement"`
		} `json:"values"`
	} `json:"snippet"`
}

// short is one paragraph: "main.tf:12: summary: detail".
func (d diagnostic) short() string {
	text := d.Summary
	if detail := strings.Join(strings.Fields(d.Detail), " "); detail != "" {
		text += ": " + detail
	}
	if d.Range != nil && d.Range.Filename != "" {
		return fmt.Sprintf("%s:%d: %s", d.Range.Filename, d.Range.Start.Line, text)
	}
	if d.Address != "" {
		return d.Address + ": " + text
	}
	return text
}

// long adds the lines of the template that it is about, for the log.
func (d diagnostic) long() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", strings.ToUpper(d.Severity[:min(1, len(d.Severity))])+d.Severity[min(1, len(d.Severity)):], d.Summary)
	if d.Range != nil && d.Range.Filename != "" {
		fmt.Fprintf(&b, "\n  on %s line %d", d.Range.Filename, d.Range.Start.Line)
		if d.Snippet != nil && d.Snippet.Context != "" {
			b.WriteString(", in " + d.Snippet.Context)
		}
	}
	if s := d.Snippet; s != nil {
		for i, code := range strings.Split(strings.TrimRight(s.Code, "\n"), "\n") {
			fmt.Fprintf(&b, "\n  %4d: %s", s.StartLine+i, code)
		}
		for _, v := range s.Values {
			fmt.Fprintf(&b, "\n        %s %s", v.Traversal, v.Statement)
		}
	}
	if d.Address != "" {
		b.WriteString("\n  with " + d.Address)
	}
	if d.Detail != "" {
		b.WriteString("\n" + d.Detail)
	}
	return b.String()
}
