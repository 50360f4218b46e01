package berth_test

import (
	"testing"

	"github.com/berthdev/berth"
)

// What a template says of itself is printed in terminals of people who did not
// write it.
func TestDeprecatedSteersNoTerminal(t *testing.T) {
	t.Parallel()
	p := berth.TemplatePolicy{AutostopWeeks: 1, Rollout: berth.RolloutNextStart}
	for text, ok := range map[string]bool{"use go-2 instead, ü": true, "use\ngo-2": false, "\x1b]0;title\x07": false, "\u009b2J": false, "\u202egnp": false} {
		p.Deprecated = text
		if err := p.Validate(""); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
