// Package lint judges a template before anybody makes a workspace from it: one
// sentence for each finding, with file and line, and the cure.
//
// Guarantees:
//   - An error is found only in what no build of the template could do; whatever
//     may work is a warning or a note.
//   - What stands in the files alone is judged as it is with plans; plans make
//     the judgement of what is persistent and of what forces a replacement exact.
//   - A comment in the template takes a warning or a note away, and never an error.
//
// It reads files and what plans of start and stop contain; it runs nothing.
// docs/lint.md lists the codes.
package lint
