// Package agent is the process inside a workspace. It greets the server with
// its token, runs the template's scripts, and keeps a link to its relay, over
// which people reach it.
//
// Guarantees: it never gives up on the server or the relay, but waits longer
// each time (100 ms to 5 s); sessions and scripts go on while the server is
// away, and people who come back within five minutes find their sessions where
// they were; a server that is back has the agent back within seconds; start
// scripts run once per process however often it links; what scripts print is
// sent once and in order, up to a limit; on SIGTERM it runs the stop scripts and
// ends its sessions before it exits.
//
// It does not authenticate people: whoever comes through the link has been let
// in by the relay.
package agent
