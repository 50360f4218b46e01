// Package forms evaluates a version's questions from its Terraform files against
// the answers so far, without terraform: which are asked, with which options,
// defaults and faults.
//
// What it cannot decide it leaves as the import found it, and says so. Whether an
// answer is right is decided by internal/parameters.
package forms
