package terraform

import (
	"context"
	"fmt"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/lint"
	"github.com/berthdev/berth/internal/source"
)

// check judges the template by its files and its plans. Errors among the
// findings are an error of the import.
func (r *run) check(ctx context.Context, start shown, c berth.Contents) ([]berth.Finding, error) {
	modules, err := source.ReadCalls(r.Installation.Dir)
	if err != nil {
		return nil, ofTemplate(err)
	}
	plans := start.facts(c)
	if err := lint.Problem(lint.Check(modules, &plans)); err != nil {
		return nil, &RunError{Code: berth.FailedTerraform, Err: err}
	}
	if doubtful := lint.Doubts(modules, plans); doubtful != nil {
		if plans.Replaced, err = r.asAnother(ctx, start, doubtful); err != nil {
			return nil, err
		}
	}
	return lint.Check(modules, &plans), nil
}

// sayFindings logs them for an import that fails: otherwise they are on the
// version, and who pushed it is told them at the end.
func (r *run) sayFindings(found []berth.Finding) {
	for _, f := range found {
		r.say("warn", fmt.Sprintf("%s: %s (%s)", title(f.Severity), lint.Say(f), f.Code))
	}
}

func title(s berth.Severity) string {
	return map[berth.Severity]string{berth.FindingError: "Error", berth.FindingWarning: "Warning", berth.FindingNote: "Note"}[s]
}

// facts are what the checks are told of the plans.
func (p shown) facts(c berth.Contents) lint.Plans {
	facts := lint.Plans{Resources: c.Resources, Parameters: c.Parameters, Presets: c.Presets}
	for _, k := range p.managed() {
		switch k.kind {
		case "coder_agent":
			facts.Agents = append(facts.Agents, lint.Named{Address: k.address, Name: k.name})
		case "coder_app":
			if slug := k.text("slug"); slug != "" {
				facts.Apps = append(facts.Apps, lint.Named{Address: k.address, Name: slug})
			}
		}
	}
	for _, k := range p.data("coder_parameter") {
		facts.Asked = append(facts.Asked, lint.Named{Address: k.address, Name: k.text("name")})
	}
	return facts
}
