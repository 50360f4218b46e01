// Package usage reads how much of a computer is in use: processor, memory,
// volumes. In a container it is the container that is measured, against its
// limits, and not the machine around it; the machine can be asked for by name.
//
// It knows control groups of version 1, version 2 and of both at once, limits
// that stand on an outer group (a pod, a slice), and groups without a limit.
// Where the kernel tells nothing of a container, the machine is measured.
//
// It reads files of /proc and /sys alone and keeps nothing.
package usage
