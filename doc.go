// Package berth holds the nouns of Berth and their rules: users, templates,
// versions, workspaces, builds, agents, workspace providers, ids and errors.
//
// It imports the standard library only and touches nothing outside the
// process, so every other package may import it. It does not decide when things
// happen (internal/lifecycle, internal/prebuilds), does not keep them
// (internal/store) and does not know the wire (package api).
package berth
