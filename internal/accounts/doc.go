// Package accounts holds the use cases around people: users, organizations,
// logins, tokens and the audit of what was done.
//
// What it guarantees:
//
//   - The first user is made once, also when two people ask at the same moment,
//     and owns the site.
//   - A login answers the same, after the same work, whether the user is
//     unknown, suspended, or the password wrong; tries are limited per user and
//     address.
//   - Passwords are kept as argon2id. Hashing runs a few at a time, so a flood
//     of logins waits and does not exhaust memory.
//   - Tokens are kept as SHA-256 of their text, expire, and carry at most their
//     user's rights. A token of a suspended or system user is nobody's.
//
// It does not decide who may do what (internal/authz) and does not read cookies
// or headers (internal/httpapi).
package accounts
