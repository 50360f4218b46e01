// Package quota decides and tells what people may still spend, and how many
// workspaces they may have.
//
// A workspace costs a day what the coder_metadata in its plan say (daily_cost),
// in whatever unit the site counts in. Its owner's budget in an organization is
// the sum of the allowances of their groups there, Everyone among them.
//
// What it guarantees:
//
//   - Of builds that are judged at once, no two slip under one limit: Judge reads
//     what is spent and reserves what it allows in one serializable transaction,
//     and so do MayCreate and MayStart with the build that they let through.
//   - A workspace never counts for less than it may have: while a build is under
//     way, and after one that failed, it counts for the larger of what it had and
//     what the build was allowed.
//   - What costs no more than the workspace counts for already is always allowed,
//     also above the budget. So are stops and deletes, whatever they cost.
//   - A build that is refused changes nothing and reserves nothing.
//
// It does not know what things cost in money, and does not look at what they use.
package quota
