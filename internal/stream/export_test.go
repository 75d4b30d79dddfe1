package stream

// ShrinkRing makes the ring so small; before Run.
func (h *Hub) ShrinkRing(size int) { h.ring = newRing(size) }
