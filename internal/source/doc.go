// Package source reads the Terraform files of a template without terraform: its
// modules, their blocks, and where each stands.
//
// Guarantees:
//   - What it reads lies inside the template's directory, and is a plain file.
//   - Errors are berth.Invalid and name file and line, the first few of them.
//
// It evaluates nothing but what is known without a context (internal/forms
// does), and it judges nothing (internal/lint does).
package source
