package berth

// Question is a parameter as it is asked now: of this owner, with these answers
// so far.
type Question struct {
	Parameter
	Value   string       `json:"value"`             // the answer that would be taken
	Source  AnswerSource `json:"source"`            // where that comes from
	Problem string       `json:"problem,omitempty"` // why it cannot be taken, in one sentence
	Fixed   bool         `json:"fixed,omitempty"`   // it was answered when the workspace was made, and cannot be changed
	Note    string       `json:"note,omitempty"`    // what of it only Terraform can decide: it is shown as the import found it
}

// AnswerSource is where a question's answer comes from.
type AnswerSource string

const (
	FromPreset   AnswerSource = "preset"
	FromAnswer   AnswerSource = "answer"   // of the person, now
	FromPrevious AnswerSource = "previous" // of the build before
	FromDefault  AnswerSource = "default"
	FromNowhere  AnswerSource = "none" // it must be answered
)

// Form is what a version asks, given what was answered so far.
type Form struct {
	Questions []Question `json:"questions"`
	Unasked   []string   `json:"unasked,omitempty"` // answers that nobody asks for now: they are left out
	Unknown   []string   `json:"unknown,omitempty"` // answers to what the version never asks: a build refuses them
	Notes     []string   `json:"notes,omitempty"`   // about the form as a whole
}
