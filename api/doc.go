// Package api is the wire contract of Berth: the types of requests and answers
// and the paths under /api/v1. Server and Go client share it; openapi.json in
// this folder is generated from it and checked in.
//
// It holds no behaviour. Value types that are the same inside and on the wire
// (parameters, presets, logs, plans) are used from package berth; entities have
// a wire form of their own, which says what the caller may see.
package api

// Prefix stands before every path of the API.
const Prefix = "/api/v1"

// Protocol versions that agents and runners name in their first call. The
// server answers what it speaks; it refuses those older than the oldest.
const (
	AgentProtocol        = 1
	OldestAgentProtocol  = 1
	RunnerProtocol       = 1
	OldestRunnerProtocol = 1
)
