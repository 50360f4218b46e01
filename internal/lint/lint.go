package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/source"
)

// Plans is what plans of a template with no state have found.
type Plans struct {
	Resources  []berth.TemplateResource
	Agents     []Named
	Apps       []Named // by their slugs
	Asked      []Named // the parameters
	Parameters []berth.Parameter
	Presets    []berth.Preset
	// Replaced are the attributes that would make other objects of a workspace's
	// resources if it had another name and owner, by the address of the block;
	// nil: nobody has asked.
	Replaced map[string][]string
}

// Check judges a template by its modules, the root first, as source.ReadCalls
// gives them. plans is nil where none were made.
func Check(modules []source.Module, plans *Plans) []berth.Finding {
	if len(modules) == 0 {
		return nil
	}
	t := newTemplate(modules, plans)
	for _, rule := range rules {
		rule(t)
	}
	return t.findings()
}

// rules are all there are. Each adds what it finds.
var rules = []func(*template){
	checkBackend,
	checkAgentNames, checkSlugs, checkParameterNames, checkPresetNames,
	checkShape, checkInitScripts, checkData,
	checkIdentity, checkPools, checkFrozen, checkMoving, checkAnswersInNames,
	checkPlugins, checkProvisioners, checkSecrets,
	checkParameters, checkPresets, checkSchedules,
}

// Codes lists the codes of findings and what each is about, for docs and help.
var Codes = map[string]string{
	"state-elsewhere":          "a backend or cloud block",
	"agent-name":               "an agent's name that cannot be part of a host name, or two of one name",
	"app-slug":                 "two apps of one slug",
	"parameter-name":           "two parameters of one name",
	"preset-name":              "two presets of one name, or several that are the default",
	"no-agent":                 "no coder_agent",
	"no-computer":              "an agent, and no resource that could be its computer",
	"init-script-unused":       "an agent whose init script nothing runs",
	"all-persistent":           "nothing that a stop removes",
	"nothing-persistent":       "nothing that outlives a stop",
	"ephemeral-data":           "a volume that a stop removes",
	"persistent-identity":      "something that is kept, and would be replaced by a rename or for another owner",
	"pool-identity":            "a pool whose members would get another computer when they are claimed",
	"token-frozen":             "ignore_changes on the agent's token or init script",
	"changes-every-build":      "something that is kept, with a value that is another in each build",
	"answer-in-name":           "something that is kept, named after an answer that may be changed",
	"plugin-version":           "a plugin of somebody else without a version",
	"runs-on-runner":           "a provisioner that runs commands where Terraform runs",
	"secret-default":           "a sensitive variable whose value stands in the files",
	"parameter-default":        "a default that the parameter's own rules refuse",
	"parameter-ephemeral":      "an ephemeral parameter that is not mutable, or has no default",
	"parameter-unused":         "a parameter that nothing reads",
	"preset-invalid":           "a preset whose answers the parameters refuse",
	"preset-unknown-parameter": "a preset that answers what is not asked",
	"preset-incomplete":        "a pool whose preset leaves a required answer open",
	"schedule":                 "a schedule of a pool that is none",
	"schedule-overlap":         "two schedules of one pool that hold at the same time",
	"ignore":                   "a comment berth:ignore that says no reason, or no code that there is",
}

// found is a finding with what it is about.
type found struct {
	berth.Finding
	block hcl.Range // where a comment may take it away; zero: anywhere
}

// add notes a finding at a place within block. A nil block means the template as
// a whole.
func (t *template) add(severity berth.Severity, code string, m *module, at *hcl.Range, block *hcl.Block, address, format string, args ...any) {
	f := found{Finding: berth.Finding{Severity: severity, Code: code, Message: fmt.Sprintf(format, args...), Address: address}}
	if block != nil {
		f.block = extent(block)
		if at == nil {
			at = &block.DefRange
		}
	}
	if m != nil && at != nil {
		// What came from elsewhere is not the author's to change: the call is.
		for m.foreign() && m.parent != nil && m.call != nil {
			at, f.block = &m.call.DefRange, extent(m.call)
			m = m.parent
		}
		f.File, f.Line = at.Filename, at.Start.Line
	}
	t.list = append(t.list, f)
}

// findings are those that no comment takes away, in the order of the files.
func (t *template) findings() []berth.Finding {
	ignored := t.ignores()
	var list []berth.Finding
	for _, f := range t.list {
		if f.Severity == berth.FindingError || !ignored(f) {
			list = append(list, f.Finding)
		}
	}
	rank := map[berth.Severity]int{berth.FindingError: 0, berth.FindingWarning: 1, berth.FindingNote: 2}
	slices.SortStableFunc(list, func(a, b berth.Finding) int {
		return cmp.Or(cmp.Compare(rank[a.Severity], rank[b.Severity]), strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), strings.Compare(a.Code, b.Code))
	})
	return slices.CompactFunc(list, func(a, b berth.Finding) bool { return a == b })
}

// Say is a finding as one line.
func Say(f berth.Finding) string {
	place := ""
	if f.File != "" {
		place = fmt.Sprintf("%s:%d: ", f.File, f.Line)
	}
	return place + f.Message
}

// Problem is the error of a template with errors among its findings; nil
// without. It names the first few.
func Problem(list []berth.Finding) error {
	var said []string
	for _, f := range list {
		if f.Severity == berth.FindingError && len(said) < source.MaxShown {
			said = append(said, Say(f))
		}
	}
	if said == nil {
		return nil
	}
	return berth.Errorf(berth.Invalid, "%s", strings.Join(said, "\n"))
}
