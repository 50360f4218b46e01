// Package builds is the queue.
package builds
