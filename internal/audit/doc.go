// Package audit reads, exports and prunes the record of what was done, and
// writes what no use case does: requests that were refused, and connections.
// What was done is written by the use cases, each in the transaction of what it
// tells.
//
// What it guarantees:
//
//   - Nobody reads a row but who may: auditors of the site all, auditors of an
//     organization those of it.
//   - An export ends with the moment in which it was begun, and takes bounded
//     memory, however long it is.
//   - What was refused leaves a bounded number of rows a minute; how many were
//     left out is told in the next one.
//   - A connection is never held up by its row: Connections writes later, and
//     says what it had to drop.
//   - Prune deletes what is older than its retention, in batches.
//
// It does not change rows, and does not keep secrets out of them: whoever writes
// a row names the field only (berth.Changes).
package audit
