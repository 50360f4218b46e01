// Package terminal keeps pseudo-terminals that outlive their viewers.
//
// A terminal has an id that its first viewer chose. Viewers attach and leave as
// connections come and go; each that attaches is first shown again what the
// terminal remembers: about half a megabyte of output, and the modes that a
// terminal emulator has to be in. Whoever types or attaches last is the active
// viewer: the terminal has the size of that window, and questions that programs
// ask of a terminal reach that viewer alone, so that they are answered once and
// never by a replay.
//
// Guarantees:
//   - A viewer that does not take its output holds up nobody for longer than
//     patience, and costs at most maxQueue bytes; when it takes again it is
//     brought up to date by a replay.
//   - A replay never begins within a sequence or a character, leaves a terminal
//     emulator in the modes of the original, and makes it answer nothing.
//   - Whatever a program prints, a terminal costs a bounded amount of memory.
//   - A shell that nobody views ends after a while, unless something runs in it.
//
// It knows no people, permissions or connections: whoever attaches was let in
// before, and anybody who was may attach to any terminal.
package terminal
