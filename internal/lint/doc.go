// Package lint judges a template before anybody makes a workspace from it: one
// sentence for each finding, with file and line.
//
// It reads files and what plans of start and stop contain; it runs nothing.
package lint
