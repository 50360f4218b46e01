// Package accounts holds the use cases around people: users, their roles of the
// site, passwords, logins and tokens.
//
// What it guarantees:
//
//   - The first user is made once, also when two people ask at the same moment,
//     and owns the site.
//   - A login answers the same, after the same work, whether the user is
//     unknown, suspended, or the password wrong; tries are limited per name and
//     address, per address, and per account over all addresses.
//   - Passwords are kept as argon2id. Hashing runs a few at a time, so a flood
//     of logins waits and does not exhaust memory.
//   - Tokens are kept as SHA-256 of their text, expire, and carry at most their
//     user's rights. A token of a suspended or system user is nobody's.
//   - The site keeps an owner who can sign in, whoever is changed, suspended or
//     deleted; who holds a role is changed by owners alone.
//   - With a suspension all logins and tokens of the user are gone, in its
//     transaction.
//
// It does not decide who may do what (internal/authz), does not stop the
// workspaces of who is suspended (internal/workspaces), and does not read cookies
// or headers (internal/httpapi).
package accounts
