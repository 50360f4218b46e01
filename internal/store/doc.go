// Package store keeps everything that Berth knows, in SQLite or PostgreSQL. It
// holds all SQL of the project; callers see the nouns of package berth and a few
// row structs.
//
// There is one text of every query and one set of migrations, in the dialect
// that both engines share: $N placeholders, ids as text, times as BIGINT
// microseconds, JSON as opaque text. The whole list of differences is the
// interface dialect.
//
// What it guarantees:
//
//   - Read gives one consistent snapshot and cannot write.
//   - Write is serializable on both engines. It is repeated when another
//     transaction was in the way, so the closure may do nothing but SQL and
//     plain computing. It takes effect whole, or not at all.
//   - Guarded is for the hot single statements of the queue and of presence. It
//     is read committed on PostgreSQL, so each of its statements carries its
//     whole guard in its WHERE.
//   - tx.Now is fixed for a transaction, UTC, in whole microseconds. It is the
//     wall clock and may be earlier than times that are stored already: nothing
//     here orders by time what must not be mistaken, and nothing waits for a
//     stored time without a bound.
//   - Errors are berth.Error where the store knows the fact: no row is
//     not_found, a unique index is the sentence in its row of constraints, a
//     database that does not answer is unavailable.
//   - Wakes are hints. They may be lost or come for nothing; who waits for one
//     looks by itself now and then.
//
// What it does not do: decide (no method knows whether something is allowed),
// encrypt (internal/seal), or keep anything in memory.
package store
