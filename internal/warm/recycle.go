package warm

import "time"

// glance is how often the house looks for what has waited too long.
const glance = 30 * time.Second

func (h *House) look() {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		select {
		case <-h.stop:
			return
		case <-tick.C:
			h.recycle()
		}
	}
}

// recycle ends what waits and is dead, old, or long unused.
func (h *House) recycle() {
	h.mu.Lock()
	var ended []*set
	for _, s := range h.sets {
		if s.build == "" && (s.dead() || time.Since(s.used) >= h.o.MaxIdle || time.Since(s.born) >= h.o.MaxAge) {
			ended = append(ended, h.take(s))
		}
	}
	ended = append(ended, h.slim()...)
	h.mu.Unlock()
	h.end(ended)
}

// evict takes n sets out that wait: dead ones, then the longest unused.
func (h *House) evict(n int) []*set {
	var ended []*set
	list := h.waiting()
	for len(list) > 0 && len(ended) < n {
		last := list[len(list)-1]
		list = list[:len(list)-1]
		ended = append(ended, h.take(last))
	}
	return ended
}

// slim takes sets out that wait until the rest fits the memory they may use.
func (h *House) slim() []*set {
	if h.o.Memory <= 0 {
		return nil
	}
	var sum int64
	for _, s := range h.sets {
		sum += s.weight
	}
	var ended []*set
	for sum > h.o.Memory {
		gone := h.evict(1)
		if len(gone) == 0 {
			break
		}
		sum -= gone[0].weight
		ended = append(ended, gone...)
	}
	return ended
}
