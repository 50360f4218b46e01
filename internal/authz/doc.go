// Package authz decides whether an actor may do an action to a resource. The
// policy is one table, policy.go; testdata/policy.golden shows it as a grid of
// role, action and resource, so a change of policy is a visible diff.
//
// What is not in the table is denied. A token can only narrow what its user may
// do, never widen it: by its scopes and, the login of a workspace, by where that
// workspace is and whether it is shared. The decision is pure: it reads no database and no clock,
// so the caller must bring the facts (owner, organization) of the resource.
//
// It does not hide: whether a denied resource is answered with not_found or
// forbidden is Check's one rule, which callers use.
package authz
