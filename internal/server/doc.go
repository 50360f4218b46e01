// Package server reads the settings of `berth server`, builds everything, runs
// it and stops it.
//
// What starts, in this order, and stops in the opposite one: the lock of the
// data directory, the listener (which answers 503 from then on), the keys, the
// database, what every installation has, the plugins' mirror, the queue, the
// relay, the API, the runner of the built-in provider, the loops (loops.go has
// all of them in one slice).
//
// Guarantees:
//
//   - Two servers never work on one data directory.
//   - What keeps a server from starting is one sentence that names the cure.
//   - Stopping leaves running builds to their keepers and tells agents to link
//     again at once; a server that starts later goes on with both.
//   - The built-in runner is the runner that providers elsewhere run, and speaks
//     to this server through package client.
//
// No rule of the domain is here.
package server
