package tunnel

// A replay holds what was sent of one direction and may be asked for again:
// the bytes that the other side has not said to have. Full frames stay in the
// chunks that they were sent from, small ones share chunks, so it holds at most
// twice what it stands for, which is at most Window. The owner's lock covers
// its methods.
type replay struct {
	base  int64 // offset of its first byte
	parts []part

	busy    chunk // a carrier reads from it now: not to be given away
	dropped bool  // busy is not needed for anything else any more
}

// part is the bytes of one chunk.
type part struct {
	c          chunk
	start, end int
}

// add appends the n bytes in c behind the room for a header. It says whether
// it kept c, which the caller then may only read.
func (r *replay) add(c chunk, n int) (kept bool) {
	if n >= frameSize/2 {
		r.parts = append(r.parts, part{c, headerSize, headerSize + n})
		return true
	}
	for from := c[headerSize : headerSize+n]; len(from) > 0; {
		last := len(r.parts) - 1
		if last < 0 || r.parts[last].end == frameSize {
			r.parts = append(r.parts, part{chunks.Get().(chunk), headerSize, headerSize})
			last++
		}
		m := copy(r.parts[last].c[r.parts[last].end:], from)
		r.parts[last].end += m
		from = from[m:]
	}
	return false
}

// lend keeps c from being reused until giveBack.
func (r *replay) lend(c chunk) { r.busy, r.dropped = c, false }

func (r *replay) giveBack() {
	if r.dropped {
		chunks.Put(r.busy)
	}
	r.busy, r.dropped = nil, false
}

// drop forgets what lies before offset, which is at most the end.
func (r *replay) drop(offset int64) {
	for r.base < offset && len(r.parts) > 0 {
		p := &r.parts[0]
		n := int(min(offset-r.base, int64(p.end-p.start)))
		p.start += n
		r.base += int64(n)
		if p.start < p.end {
			return
		}
		if p.c == r.busy {
			r.dropped = true
		} else {
			chunks.Put(p.c)
		}
		r.parts[0] = part{}
		r.parts = r.parts[1:]
	}
	if len(r.parts) == 0 {
		r.base, r.parts = max(r.base, offset), nil
	}
}

// copy gives the bytes from offset on, as many as fit into p. What was dropped
// is left out: from says where the bytes begin.
func (r *replay) copy(p []byte, offset int64) (n int, from int64) {
	from = max(offset, r.base)
	skip := from - r.base
	for _, part := range r.parts {
		held := int64(part.end - part.start)
		if skip >= held {
			skip -= held
			continue
		}
		n += copy(p[n:], part.c[part.start+int(skip):part.end])
		if skip = 0; n == len(p) {
			break
		}
	}
	return n, from
}
