package outbox

// StampRows is the statement that the relay gives positions with.
const StampRows = stampRows

// RaiseFloorAfter makes the relay try to raise its floor after so few stamped rows.
func (r *Relay) RaiseFloorAfter(rows int) { r.floor.riseOver = rows }

// Floor is the id below which the relay no longer looks.
func (r *Relay) Floor() int64 { return r.floor.id }
