// Package runner takes the builds of one workspace provider and has keepers
// run them.
//
// A runner is the part of a server or provider that talks to the API: it takes
// builds by long poll, beats their leases, ships their logs and states, asks
// for the verdict on their plans, and finishes them. For each build it starts
// a keeper: our own binary again, as `berth keeper DIR`, in a process session
// of its own. The keeper owns the build's directory, Terraform and its plugins.
// The two share a record on disk and a socket:
//
//	server  <── HTTPS ──  runner  ── verdict, cancel, force ──>  keeper ── terraform
//	                        ^                                      │
//	                        └──── DATA/runner/builds/BUILD.ATTEMPT ┘
//	                              log, state.json, judge.json, result.json
//
// Guarantees:
//
//   - A keeper outlives its runner. A runner that starts again on the same disk
//     has the same id, finds its keepers, and goes on with the same attempts.
//     Nothing that a keeper wrote is forgotten before the server has
//     acknowledged it, however long the server is away.
//   - What a keeper started ends with it. If a keeper is killed, its runner
//     interrupts Terraform once, so that it saves its state, ends what is left,
//     ships the newest state found on disk, and finishes the build as lost. If
//     the runner is dead too, Terraform goes on until the next one does that.
//   - Nothing is applied without a verdict, and a verdict that does not come is
//     waited for: that time is not counted against the build's limit.
//   - A keeper holds no token of the provider and needs no network of its own.
//   - One runner at a time works on one disk.
//
// It does not know the database, the use cases or what a verdict depends on.
// It does not read plans or states (internal/terraform does), and it does not
// start a build a second time: what was cut is finished by the next build.
package runner
