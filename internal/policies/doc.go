// Package policies is how settings are edited that reach workspaces which are
// there already, so that nobody stops or deletes other people's work by accident.
//
//   - Before an edit is made, a Guard compares what would happen to each
//     workspace with and without it, in the transaction that makes it. What is
//     told before is what is done.
//   - An edit that stops, puts to sleep or deletes anything sooner is a conflict
//     until it is confirmed.
//   - What runs already is reached at its next start, unless the editor says now.
//   - The newest edit of each target can be taken back.
//
// It knows no lifecycle: internal/schedules is the Guard. What the settings are is
// the matter of internal/templates and internal/organizations.
package policies
