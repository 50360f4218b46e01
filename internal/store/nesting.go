package store

import (
	"fmt"
	"runtime"
	"slices"
)

// refuseNested panics, with both places, when a transaction is opened inside
// another one by the same goroutine. SQLite has one writer, so that would wait
// for itself for ever; on PostgreSQL it would be a second transaction that its
// author took for the first. It is for DB.run to call, and looks whether that is
// further up the stack as well: a few microseconds, against the hundreds that a
// transaction takes.
func refuseNested() {
	var calls [128]uintptr
	stack := calls[:runtime.Callers(2, calls[:])] // of run, its caller, …
	run := entry(stack[0])
	for i := 1; i < len(stack); i++ {
		if entry(stack[i]) == run && !unwinding(stack[:i]) {
			panic(fmt.Sprintf("store: transaction at %s inside the transaction at %s", place(stack[2:]), place(stack[i+2:])))
		}
	}
}

// unwinding tells whether the goroutine ends what called this part of its stack:
// a transaction further up is over then.
func unwinding(stack []uintptr) bool {
	return slices.ContainsFunc(stack, func(pc uintptr) bool {
		name := runtime.FuncForPC(pc - 1).Name()
		return name == "runtime.gopanic" || name == "runtime.Goexit"
	})
}

// entry is where the function begins that a return address is in.
func entry(pc uintptr) uintptr { return runtime.FuncForPC(pc - 1).Entry() }

// place is the file and line of the first call of a stack.
func place(stack []uintptr) string {
	f, _ := runtime.CallersFrames(slices.Clone(stack)).Next()
	return fmt.Sprintf("%s:%d", f.File, f.Line)
}
