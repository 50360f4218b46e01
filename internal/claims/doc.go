// Package claims decides what the claims of an identity provider mean for a
// user: username, e-mail address, groups, roles, organizations. Pure.
package claims
