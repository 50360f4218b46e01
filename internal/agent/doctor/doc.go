// Package doctor finds out why an agent cannot greet its server or link to it,
// and tells the server over plain HTTPS, or when that does not work either, the
// agent's own log.
//
// One walk along the way to the server collects facts; a pure function makes the
// chain of checks of them, which ends at the first that fails and names its
// cure. It looks beside the agent, never in its way, and ever more seldom. It
// sends no token, and decides nothing: what it says is for people.
package doctor
