package worker

import (
	"sync/atomic"

	"dozor/internal/bus"
)

// Limits of records that a worker holds unsettled, over all its panels. The difference
// is kept free for the live lane.
const (
	maxUnsettled         = 2000
	maxUnsettledBackfill = 1500
)

// budget counts the unsettled records of a worker.
type budget struct{ held atomic.Int64 }

func (b *budget) change(delta int) { b.held.Add(int64(delta)) }

func (b *budget) room(lane bus.Lane) bool {
	if lane == bus.Backfill {
		return b.held.Load() < maxUnsettledBackfill
	}
	return b.held.Load() < maxUnsettled
}
