// Package links is the relay: agents link to it, and people and the rest of
// the server reach agents through it.
//
//	agent ── GET /agent/link ──┐
//	agent ── GET /agent/link ──┤ Relay ├── GET …/streams/{id} ── person
//	agent ── GET /agent/link ──┘       └── Open, Ping ── this process
//
// Guarantees:
//   - An agent has at most one link here. A second one with the same token
//     does not displace a link that answers a ping; both outcomes are reported.
//   - A link whose agent is silent for 25 s is ended, and with it its streams.
//   - Linked and Unlinked come in pairs and in order for each agent.
//   - CloseAgent leaves neither link nor stream behind.
//   - A stream's bytes are neither read nor changed nor stored, and nothing is
//     known here of streams that resume: another relay can go on with them.
//
// It decides nothing: who an agent is, who may reach it and what becomes of
// the reports is given to it as functions. It reaches agents of other relays
// not yet, but knows from its Directory where they are.
package links
