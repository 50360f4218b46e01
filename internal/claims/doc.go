// Package claims decides what the claims of an identity provider mean for a
// user: username, e-mail address, groups, roles, organizations. Pure.
//
// What a provider sends is not trusted to have any shape: a claim may be
// missing, of another type, far too long or nested. What it guarantees:
//
//   - A Person has a subject, a valid username and a valid e-mail address, or
//     there is an error that says whose turn it is.
//   - Nobody gets a group, a role or an organization that the rules do not name
//     or let through. A value that could be read in two ways is skipped, never
//     bent into a name: two groups there cannot become one here.
//   - Where a provider left out what it should have said, what the user has
//     stays, and a gate stays shut.
package claims
