// Package activity collects evidence that a workspace is used and tells the
// server of it: what moves through sessions, terminals and ports, and the
// processes and work that a template says keep it awake.
//
// Guarantees: use is told at once, and then each minute at most; a server that
// was away or killed hears of it late, and of all of it; ages are told, by a
// clock that only goes forward, so that no clock that is wrong shortens or
// prolongs what was seen. A trickle through an editor's connection or a port
// is nobody.
//
// It does not decide how long a workspace stays awake: the server does.
package activity
