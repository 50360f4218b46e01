// Package lifecycle decides when a workspace starts, stops, sleeps or is deleted
// by itself, and says why in one sentence.
//
// It is pure: the same facts at the same moment give the same step, and nothing
// is stored that follows from facts. A deadline is a function of the facts and
// of now, never a column.
//
//   - Next says what is to be done now, by which rule, and when to ask again.
//   - Deadline says what will stop a running workspace, when, and what would
//     move that.
//   - Forecast says what will happen in the next days if nothing changes.
//   - Check states what no step may ever be, apart from the decision.
//
// Guarantees: a workspace that may be in use is never put to sleep or deleted for
// want of use, and stopped for that only when nobody could be asked for as long
// as the site's grace says; what is not known is not idleness. Nothing is deleted
// without a date that its owner was told of. A prebuild is left alone.
//
// It reads no clock, asks nobody and changes nothing: internal/schedules does.
package lifecycle
