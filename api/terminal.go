package api

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The stream "terminal:UUID" between a server and an agent carries frames: one
// byte that says what it is, the length of the payload in 4 bytes, big-endian,
// and the payload. The server's first frame is TerminalOpen; the agent's last is
// TerminalExit or TerminalFailed, or the stream ends and the terminal lives on.
const (
	TerminalOpen   = 'o' // to the agent: an OpenTerminal, as JSON
	TerminalInput  = 'i' // to the agent: bytes typed
	TerminalResize = 's' // both ways: columns and rows, 2 bytes each; from the agent: the size that all viewers share
	TerminalOutput = 'd' // to the viewer: bytes to show
	TerminalExit   = 'x' // to the viewer: TerminalEnd, as JSON
	TerminalFailed = 'e' // to the viewer: one sentence
)

// MaxTerminalFrame bounds the payload of one frame, in bytes.
const MaxTerminalFrame = 64 << 10

// OpenTerminal begins a viewer's connection to a terminal.
type OpenTerminal struct {
	Columns int    `json:"columns"`
	Rows    int    `json:"rows"`
	Command string `json:"command,omitempty" doc:"Run instead of a login shell, when the terminal is not there yet"`
}

// TerminalControl is a text message of the terminal's websocket; its binary
// messages are bytes typed and shown.
type TerminalControl struct {
	Resize *TerminalSize `json:"resize,omitempty" doc:"From the page: the size of its window; to the page: the size that all viewers share"`
	Notice string        `json:"notice,omitempty" doc:"To the page: a sentence to show beside the terminal"`
	Exit   *TerminalEnd  `json:"exit,omitempty" doc:"To the page: the program ended; the last message"`
	Error  string        `json:"error,omitempty" doc:"To the page: why there is no terminal; the last message"`
}

// TerminalSize is the size of a terminal in characters.
type TerminalSize struct {
	Columns int `json:"cols"`
	Rows    int `json:"rows"`
}

// TerminalEnd is how the program of a terminal ended.
type TerminalEnd struct {
	Code   int    `json:"code"`
	Signal string `json:"signal,omitempty" doc:"Name of the signal that ended it"`
}

// WriteTerminalFrame writes one frame; a long payload of bytes is given as
// several.
func WriteTerminalFrame(w io.Writer, kind byte, payload []byte) error {
	for {
		part := payload[:min(len(payload), MaxTerminalFrame)]
		frame := make([]byte, 5, 5+len(part))
		frame[0] = kind
		binary.BigEndian.PutUint32(frame[1:], uint32(len(part)))
		if _, err := w.Write(append(frame, part...)); err != nil {
			return err
		}
		if payload = payload[len(part):]; len(payload) == 0 {
			return nil
		}
	}
}

// ReadTerminalFrame reads one frame. A payload longer than MaxTerminalFrame is
// an error before anything of it is read; io.EOF is an end between frames.
func ReadTerminalFrame(r io.Reader) (kind byte, payload []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size > MaxTerminalFrame {
		return 0, nil, fmt.Errorf("a terminal frame of %d bytes; at most %d are allowed", size, MaxTerminalFrame)
	}
	payload = make([]byte, size)
	if _, err := io.ReadFull(r, payload); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return head[0], payload, nil
}

// Payload is a size as the payload of a TerminalResize.
func (s TerminalSize) Payload() []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, uint16(s.Columns)), uint16(s.Rows))
}

// ReadTerminalSize is the size in the payload of a TerminalResize.
func ReadTerminalSize(payload []byte) (TerminalSize, error) {
	if len(payload) != 4 {
		return TerminalSize{}, fmt.Errorf("a terminal's size of %d bytes", len(payload))
	}
	return TerminalSize{Columns: int(binary.BigEndian.Uint16(payload)), Rows: int(binary.BigEndian.Uint16(payload[2:]))}, nil
}
