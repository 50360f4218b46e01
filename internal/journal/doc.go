// Package journal stands between terraform and its plugins: it writes down each
// change before and after it is made, and holds all of them back until the plan
// is judged.
//
// It speaks Terraform's plugin protocol and knows no server, no builds and no
// state: internal/terraform puts what the journal kept back into one.
package journal
