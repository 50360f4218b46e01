// Package tunnel carries byte streams between a person's client and an agent
// through a relay that sits between them.
//
//	client ── websocket ── relay ── link ── agent
//	└────────────── frames of one stream ──────┘
//
// A link is an agent's outgoing connection (a websocket, or anything else that
// is a [net.Conn]) on which the agent serves HTTP/2 and the relay is the
// client. So a relay calls an agent like any other HTTP server. A byte stream
// is a request to /streams/{id}, whose bodies carry frames in both directions;
// on the person's side the same frames go over a websocket of their own. The
// relay copies them and does not read them.
//
// A stream that was opened to be resumed ([Dialer.DialResuming], served with a
// [Keeper]) outlives its connections: each side keeps what the other has not
// acknowledged, and on the next connection both tell how much has arrived and
// send the rest. Relays know nothing of it.
//
// Guarantees:
//   - Bytes arrive complete, in order and once, or the reader is told with an
//     error; an end without a FIN frame is never read as io.EOF. Resuming
//     changes nothing of that, wherever a connection breaks.
//   - At most [Window] bytes of a direction are on the way, kept or unread: a
//     slow reader slows its writer down, and nobody else on the link.
//   - Directions end separately (CloseWrite).
//   - A peer that is dead, frozen or cut off is noticed within 30 s.
//   - No frame makes a receiver hold more than Window bytes, or panic.
//   - Only who opened a stream resumes it, and the newest connection wins. An
//     agent has at most [MaxStreams], suspended ones included.
//
// What it does not do: a stream survives neither of the processes at its ends,
// and not a loss of more than [ResumeFor]. It knows nothing of workspaces,
// people or permissions: who may open what is decided before.
package tunnel
