// Package credentials keeps what a person's workspaces act with: the SSH key
// pair, the person's secrets, their sign-ins at external services (git hosts and
// any other OAuth2 server) and each workspace's own login to Berth.
//
// Guarantees:
//
//   - Everything here is its owner's alone: nobody reads, uses or changes
//     another's, an owner of the site neither. A workspace's token reads the
//     public key and gets tokens of external sign-ins, and nothing else.
//   - Private keys, values and tokens are sealed in the database, bound to their
//     rows; they are in no list, no audit and no log.
//   - An external sign-in is finished by who began it: in the same browser, or
//     by a code that the browser shows and the command line wants. Each attempt
//     works once, for ten minutes.
//   - A refresh token is used by one replica at a time.
//
// It does not carry anything into workspaces: package server pushes what
// Identity gives over the agent's link.
package credentials
