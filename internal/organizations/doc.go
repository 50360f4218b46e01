// Package organizations holds the use cases around tenants: organizations, their
// settings, members and groups, and which workspace providers they may use.
//
// What it guarantees:
//
//   - An organization that somebody may not see is answered like one that is not
//     there, whatever is asked about it.
//   - There is always one default organization; it is never deleted. An
//     organization with workspaces or templates is not deleted either, also when
//     one is made at the same moment.
//   - Edits name what they change: of two at the same moment neither is lost.
//   - Who leaves an organization leaves its groups and what was shared with them
//     there in the same transaction.
//   - What an identity provider keeps, members and members of groups, is known
//     by its source; Sync and SyncGroups touch nothing that people did by hand,
//     but what the provider itself names.
//
// It does not decide who may do what (internal/authz), and does not enforce the
// limits and rules that it stores: internal/quota does, and who starts and stops
// workspaces.
package organizations
