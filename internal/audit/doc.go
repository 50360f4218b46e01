// Package audit reads, exports and prunes the record of what was done. It is
// written by the use cases, each in the transaction of what it tells.
package audit
