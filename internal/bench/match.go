package bench

import (
	"time"

	"dozor/internal/ids"
)

// signature is what a record and the event made of it have in common.
type signature struct {
	panel      ids.PanelID
	code, zone int
	restore    bool
}

// truth is one record of a panel's memory, as the simulator knows it.
type truth struct {
	signature
	at time.Time // when it happened
}

// arrival is the first sight of an event at a client.
type arrival struct {
	signature
	at time.Time
}

// verdict is what comparing one client's arrivals with the truth gives.
type verdict struct {
	begins, ends []time.Duration // latencies of alarms, and of their ends
	lost         int             // records that no event came for
	surplus      int             // events that no record stands behind
	last         time.Time       // the latest arrival that was matched
}

// match pairs records and arrivals of one signature in their order. One panel's records
// of one signature that lie in one segment of its log may arrive newest first; then two
// latencies trade their ends, and no count changes.
func match(records []truth, arrivals []arrival) verdict {
	waiting := map[signature][]time.Time{}
	for _, r := range records {
		waiting[r.signature] = append(waiting[r.signature], r.at)
	}
	var v verdict
	for _, a := range arrivals {
		queue := waiting[a.signature]
		if len(queue) == 0 {
			v.surplus++
			continue
		}
		waiting[a.signature] = queue[1:]
		took := a.at.Sub(queue[0])
		if a.restore {
			v.ends = append(v.ends, took)
		} else {
			v.begins = append(v.begins, took)
		}
		if a.at.After(v.last) {
			v.last = a.at
		}
	}
	for _, queue := range waiting {
		v.lost += len(queue)
	}
	return v
}
