package berth

import "regexp"

// Names are ASCII by rule: they become host names, file names and URL parts,
// and compare the same on every database.
var (
	nameForm  = regexp.MustCompile(`^[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*$`)
	agentForm = regexp.MustCompile(`(?i)^[a-z0-9](-?[a-z0-9])*$`)
)

// MaxNameLength is the most characters that a name may have.
const MaxNameLength = 32

// ValidateName checks the name of a user, organization, template, workspace,
// version or provider: 1 to 32 letters and digits, single hyphens between.
func ValidateName(field, name string) error {
	switch {
	case name == "":
		return InvalidField(field, "a name is needed")
	case len(name) > MaxNameLength:
		return InvalidField(field, "the name has %d characters, at most %d are allowed", len(name), MaxNameLength)
	case !nameForm.MatchString(name):
		return InvalidField(field, "%q is not a valid name: use letters (a-z, A-Z) and digits, with single hyphens between them", name)
	}
	return nil
}

// ValidAgentName tells whether name can be the name of an agent: a host name
// label without underscores or double hyphens.
func ValidAgentName(name string) bool { return agentForm.MatchString(name) }
