package cli

import (
	"fmt"

	"github.com/berthdev/berth"
)

// finding is what a check found, on one line.
func finding(f berth.Finding) string {
	place := ""
	if f.File != "" {
		place = fmt.Sprintf("%s:%d: ", cell(f.File), f.Line)
	}
	return fmt.Sprintf("%s%s (%s)", place, cell(f.Message), cell(f.Code))
}

// tellFindings says beside the result what checks of a template found.
func (a *app) tellFindings(found []berth.Finding) {
	for _, f := range found {
		a.tell("%s %s", a.paint(f.Severity)(string(f.Severity)+":"), finding(f))
	}
}

func (a *app) paint(s berth.Severity) func(...string) string {
	switch s {
	case berth.FindingError:
		return a.look.bad
	case berth.FindingWarning:
		return a.look.caution
	}
	return a.look.dim
}

// showFindings shows them as fields of a version.
func (a *app) showFindings(found []berth.Finding) {
	for _, f := range found {
		a.field(string(f.Severity), finding(f))
	}
}
