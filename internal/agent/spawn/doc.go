// Package spawn starts the processes of a workspace, and keeps the process that
// starts them able to go on when they take all that there is.
//
// Guarantees, where the kernel lets it: when memory runs out, the kernel ends
// what was started here before the process that started it; when no process or
// thread can be made any more, that process still has the threads that it
// needs, and Start says so in a sentence.
//
// It limits nothing itself: that is for the container and the template.
package spawn
