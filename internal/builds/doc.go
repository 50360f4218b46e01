// Package builds is the queue: it hands builds to runners, keeps what comes of
// them, and ends them once. A row of the table of builds is the job itself.
//
// The life of a build:
//
//	           Take                    Finish
//	pending ─────────▶ held ─────────────────────────▶ ended: succeeded, failed
//	   │   ◀─────────   │  ├─ Judge allows: judged
//	   │  put back,     │  ├─ Cancel: asked to end       canceled
//	   │  never judged  │  └─ lease lapses: unreachable
//	   │                │         │ Beat, Hello: back
//	   │ Cancel         │         │ Abandon ───────────▶ failed, "abandoned"
//	   ▼                │ Hello without it, judged ───▶ failed, "lost"
//	 canceled
//
// testdata/states.golden has what every call answers in every state.
//
// What it guarantees:
//
//   - A build is given to one runner at a time, and each giving has an attempt
//     number. Calls about another attempt are conflict and change nothing; a
//     state that comes with one is kept aside, never as the current one.
//   - Nothing changes the world unjudged: Terraform applies after Judge allowed it
//     in this attempt, which is on record before the answer is.
//   - A lapsed lease makes a build unreachable, not failed: its Terraform may be at
//     work. It stays its holder's until that reports back or somebody abandons
//     it, and since a workspace has one active build at most, no other build of the
//     workspace starts before.
//   - A build ends once. Its kind's Finish runs in the transaction that ends it. A
//     second Finish of the same attempt, sent since the first answer was lost,
//     changes nothing and is no error.
//   - Of the states that the holder ships, the one of the highest serial is
//     current. All are sealed for their workspace.
//
// A runner has one Take under way at most, and says hello when it does not know
// what came of it. A hello refuses what a Take of before it still wants: the two
// meet at the runner's row.
//
// What a runner holds and does not name when it says hello: its id lives on the
// disk that has its build directories, and a keeper makes its directory before
// it starts Terraform and it goes only after the server has the end of the build.
// So a build that is not named has no directory: either the answer to Take was
// lost, or the directory is gone. Was the attempt never judged, then nothing was
// changed, nor can it be: a keeper that lives on against all reason is refused by
// Judge as stale. The build goes back to pending, as often as Options.Attempts
// allows. Was it judged, then Terraform may have changed things and its last
// state is gone with the directory. Doing the work again by ourselves could
// make things twice, so the build ends as failed, "lost", with the last state
// that was shipped. Two runners with copies of one disk break this; the runner
// locks its directory against it.
//
// Time in which no server was up does not count: Downtime gives those leases anew
// that had not lapsed when the last replica was seen. Clocks of replicas may
// differ by seconds, and go back: nothing but leases hangs on them, and nothing
// but the word unreachable hangs on leases.
//
// What it does not do: know what a build is for (Kinds), authorize people, run
// Terraform.
package builds
