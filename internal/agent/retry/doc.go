// Package retry is how an agent goes on while its server is away: it tries
// again, waiting longer each time, and keeps what is to be told until somebody
// takes it.
//
// Guarantees: news arrives in order, each until it is taken or refused for good;
// a server that is back is found within 5 s, one that refuses is asked ever more
// seldom; no call takes longer than 30 s; nothing here gives up by itself.
//
// It writes nothing down: what was not told when the process ends is lost. How
// much may wait is up to those who have the news.
package retry
