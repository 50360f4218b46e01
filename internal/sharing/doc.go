// Package sharing knows who workspaces and templates are shared with: it gives
// them to the policy as resources, and makes and ends shares.
//
// Whether somebody may share a thing at all, its own use case decides
// (internal/workspaces, internal/templates). What holds for all shares is here:
// they stay within one organization, nobody gives or takes the role admin but
// who may, all is audited, and who is in the thing learns at once that its
// shares changed.
package sharing
