// Package warm keeps plugin processes between builds, so that a build does not
// wait for them to start.
//
// A House belongs to a runner. A build takes a lease of it and gets plugins that
// serve already; when it gives them back in good order, the next build of the
// same template, organization and configuration may have them: one process of each
// plugin for each build, in a set with a directory of its own: its socket, its home,
// and a seat, the directory in which they work. A build makes the seat its own
// working directory, so that the relative paths of a template mean the same to them
// as to plugins that terraform starts.
//
// The coder plugin reads its answers from the environment of its process. It is not
// kept: the process of a build's journal serves it.
//
// Guarantees:
//
//   - A set serves one build at a time. One whose build failed, was canceled or
//     was lost ends; so does one that is old, large, much used or long unused.
//   - Nothing of a build is left in its set's directory for the next.
//   - What a House started and no build uses ends with its process, in whatever
//     way that ends; what a build uses outlives it, and Left tells the next House.
//
// It decides nothing about which version may use them: internal/terraform does.
package warm
