// Package activity knows what keeps a workspace awake: evidence that somebody or
// something uses it, and holds, which people and programs set.
//
// Guarantees: evidence is kept in memory and written in batches, a minute apart
// at most, so a server that is killed loses the last minute of it and nothing
// else; while the database is away nothing is lost. The server's clock counts.
// Several servers on one database merge what they saw. A hold is in the
// database before it is confirmed.
//
// Ask is what must be asked before a workspace is stopped, or worse, for want
// of activity: it asks the workspace's agents at that moment, and says when
// they did not answer. Unknown is not idle.
//
// It decides nothing: what is done with a workspace that is not used is
// somebody else's business.
package activity
