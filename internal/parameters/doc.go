// Package parameters evaluates a version's questions against answers: which
// value each parameter has in a build, and whether it may have it.
//
// It gives the same verdicts as the Terraform provider will give on the same
// value, so that a wrong answer is refused when the person gives it and not by
// a failed build; the provider stays the last word. A missing answer is filled
// from the preset, the request, the previous build and the default, in this
// order.
//
// It does not evaluate Terraform expressions and does not read presets: the
// caller brings the chosen preset's values. It is pure.
package parameters
