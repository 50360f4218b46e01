// Package workspaces holds the use cases around workspaces: making, building,
// renaming and deleting them, their builds, state and agents.
//
// What it guarantees:
//
//   - Two builds of one workspace are never active at once.
//   - The persistence rule: no start or stop destroys, replaces or forgets a
//     persistent resource unless a person gave its address up for this very
//     build. Judge decides that, purely; see persistence.go.
//   - No start makes a workspace that its owner's quota or the limits of the
//     organization do not allow; see internal/quota.
//   - Running workspaces of suspended users are stopped, again and again until
//     that works.
//   - Who may not see a workspace cannot tell it from one that is not there.
//   - Every write is audited in the transaction that makes it.
//   - An agent's token only proves which agent speaks; it is good for nothing
//     once the owner is suspended, and for no link once the newest build is a
//     stop or delete.
//
// It does not say who a workspace is shared with (internal/sharing), does not run
// Terraform (internal/runner), does not order or lease builds
// (internal/builds) and does not carry bytes to agents (internal/links).
package workspaces
