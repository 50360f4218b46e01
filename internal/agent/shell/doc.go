// Package shell is the SSH server inside a workspace: sessions with and
// without a terminal, SFTP, and forwarding of ports, sockets, X11 and
// authentication agents, as the OpenSSH client expects them.
//
// It is given a listener whose connections are authenticated already, so it
// asks for no key and no password, and shows a host key that is new with each
// run. Everything runs as the user of the process.
//
// Guarantees: no byte that a command wrote before it exited is lost, however
// slow the client reads; a background process that holds a command's output
// open delays the end of its session by Leftovers at most; every goroutine ends
// with its connection, except the one that waits for a process that outlives
// it; channels and connections are limited.
//
// A client may set any variable that can be one, LD_PRELOAD too: sessions run as
// the user that the client is, so there is nothing to keep it from.
//
// It does not authenticate, and knows neither links nor workspaces.
package shell
