package store

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"sync"
)

// nesting notices a transaction that is opened inside another one by the same
// goroutine. SQLite has one writer, so that would wait for itself for ever; on
// PostgreSQL it would be a second transaction that its author took for the first.
var nesting nests

type nests struct{ open sync.Map } // goroutine number → where its transaction was opened

// enter panics with both places when this goroutine has a transaction open.
func (n *nests) enter() (leave func()) {
	g, here := goroutine(), caller()
	if outer, nested := n.open.LoadOrStore(g, here); nested {
		panic(fmt.Sprintf("store: transaction at %s inside the transaction at %s", here, outer))
	}
	return func() { n.open.Delete(g) }
}

// goroutine is the number of the calling goroutine, from the first line of its
// stack ("goroutine 7 [running]:"): about a microsecond, against the hundreds
// that a transaction takes.
func goroutine() uint64 {
	var b [64]byte
	s := b[:runtime.Stack(b[:], false)]
	s = bytes.TrimPrefix(s, []byte("goroutine "))
	if i := bytes.IndexByte(s, ' '); i > 0 {
		s = s[:i]
	}
	id, _ := strconv.ParseUint(string(s), 10, 64)
	return id
}

// caller is the file and line that called Read, Write or Guarded.
func caller() string {
	_, file, line, _ := runtime.Caller(4)
	return fmt.Sprintf("%s:%d", file, line)
}
