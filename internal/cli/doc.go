// Package cli is the command line of people: everything that they do from a
// terminal or a script, one file for each command.
//
// It uses package client only and knows what the API knows. Results go to
// standard output, in the wire's own types with --json; everything said on the
// way goes to standard error. It asks only where standard input and standard
// error are terminals; elsewhere what is missing is an error. Exit codes are
// listed in exit.go and in `berth --help`.
//
// What commands share is small: calling.go finds what is named and has the
// client, listing.go shows lists, arguments.go reads what was given, output.go
// prints. The package is large because there are many commands and every one of
// them has the streams, the looks and the login of one run (app): rooms of their
// own for some would share those, and know no less.
//
// Main runs in a process of its own or in a test, with any streams. The
// package keeps nothing but the login, in the configuration directory.
package cli
