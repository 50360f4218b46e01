package terminal

// Bounds of what a terminal remembers, in bytes.
const (
	maxUsual     = 512 << 10
	maxAlternate = 256 << 10
)

// ring keeps the end of a stream of whole tokens, and the modes at its start.
type ring struct {
	max    int
	chunk  int // bytes that are dropped at a time; no token is longer
	chunks [][]byte
	size   int
	cut    tracker // went through all that was dropped
	isCut  bool
}

func newRing(max int) ring { return ring{max: max, chunk: 4 * maxToken} }

// add appends whole tokens.
func (r *ring) add(data []byte) {
	for len(data) > r.chunk { // only runs of plain text are this long
		r.add(data[:r.chunk])
		data = data[r.chunk:]
	}
	if last := len(r.chunks) - 1; last < 0 || len(r.chunks[last])+len(data) > r.chunk {
		r.chunks = append(r.chunks, nil)
	}
	last := &r.chunks[len(r.chunks)-1]
	*last = append(*last, data...)
	r.size += len(data)
	for r.size > r.max {
		r.cut.write(r.chunks[0])
		r.size -= len(r.chunks[0])
		r.chunks[0] = nil
		r.chunks, r.isCut = r.chunks[1:], true
	}
}

// history is what a terminal can show again: the end of what the usual screen
// was given, and while the alternate one is shown, the end of what that was.
// It is made of what may be shown to anybody; see quietly.
//
// What was on the alternate screen is forgotten when it is left, as on a
// screen, so that hours in an editor leave the shell's lines where they were.
type history struct {
	head      tracker // went through everything
	usual     ring
	alternate ring
	inUsual   modes // what the usual ring leads to, while the alternate screen is shown
	quiet     []byte
}

func newHistory() *history {
	h := &history{usual: newRing(maxUsual)}
	h.head.emit = h.emit
	h.head.switched = h.switched
	h.head.reset = func() { h.usual, h.alternate = newRing(maxUsual), ring{} }
	return h
}

// write takes output and gives what of it may be shown to anybody; the result
// is good until the next call.
func (h *history) write(data []byte) (quiet []byte) {
	h.quiet = h.quiet[:0]
	h.head.write(data)
	return h.quiet
}

func (h *history) emit(token []byte) {
	h.quiet = append(h.quiet, token...)
	if h.head.modes.alternate != 0 {
		h.alternate.add(token)
	} else {
		h.usual.add(token)
	}
}

// switched goes between the screens. Neither ring has the sequence that did it.
func (h *history) switched(before modes) {
	now := h.head.modes
	h.quiet = append(h.quiet, before.towards(now)...)
	if now.alternate != 0 {
		h.inUsual = before
		h.alternate = newRing(maxAlternate)
		h.alternate.cut.modes = now
		return
	}
	h.alternate = ring{}
	rest := h.inUsual.towards(now)
	if before.alternate == 1049 { // which saved the cursor where it is now again
		rest = append(rest, "\x1b7"...)
	}
	if len(rest) > 0 {
		h.usual.add(rest)
	}
}

// between tells whether no token is half written.
func (h *history) between() bool { return h.head.idle() }

// Between and Full are those of shell.Screen, as is Write.
func (h *history) Between() bool     { return h.between() }
func (h *history) Full() bool        { return h.head.modes.alternate != 0 }
func (h *history) Write(data []byte) { h.write(data) }

// cutInAlternate tells whether the beginning of the alternate screen is gone:
// a replay does not show all of it.
func (h *history) cutInAlternate() bool { return h.head.modes.alternate != 0 && h.alternate.isCut }

// empty tells whether there is nothing to show again.
func (h *history) empty() bool {
	return h.usual.size == 0 && !h.usual.isCut && h.head.modes == (modes{})
}

// replay is what brings any terminal to where this one is: a reset, the modes
// at the beginning of what is kept, and what is kept. A token that is half
// written is not in it.
func (h *history) replay() []byte {
	b := make([]byte, 0, h.usual.size+h.alternate.size+1024)
	b = append(b, "\x1bc"...)
	b = append(b, h.usual.cut.modes.fromFresh()...)
	for _, c := range h.usual.chunks {
		b = append(b, c...)
	}
	if h.head.modes.alternate == 0 {
		return b
	}
	at := h.alternate.cut.modes
	b = append(b, h.inUsual.towards(at)...)
	if r := at.margins[1]; h.alternate.isCut && r != (margins{}) {
		b = append(b, r.sequence()...)
	}
	for _, c := range h.alternate.chunks {
		b = append(b, c...)
	}
	return b
}
