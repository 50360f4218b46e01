// Package schedules applies the rules of lifecycle to workspaces: it runs the
// loop that asks them, makes the builds that they want and records why; it keeps
// the settings that they rest on, previews what a change of those would do, and
// explains what happened and what will.
//
// Guarantees: a decision, its record, its notices and its build are one
// transaction, made anew from the facts inside it, so any number of replicas may
// decide at once and exactly one build is made, and a server that is killed
// leaves all of it or nothing. What is for want of use is done only when every
// agent said so just before; a stop, and nothing worse, also when none could be
// asked for as long as the server's grace. Cost grows with what is due: due rows are read by
// index.
//
// It decides nothing itself, and knows prebuilds only to leave them alone.
package schedules
