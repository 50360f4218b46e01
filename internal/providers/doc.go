// Package providers registers workspace providers: the places where workspaces
// run. It knows which one is the default, whose token a runner shows, and
// whether a provider is ready to take builds and if not, why.
//
// The token of the built-in provider lives in the memory of this server alone:
// its runner is in this process, so nothing is gained by keeping it, and
// replicas do not invalidate each other's.
//
// It does not talk to runners; what it says of them is what they said last.
package providers
