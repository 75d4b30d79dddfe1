package outage

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/test/station"
)

// Many panels come back at once, each with a long history that nobody has read, while a hold-up is pressed elsewhere.
func TestHoldUpDoesNotWaitForPanelsThatReturn(t *testing.T) {
	t.Parallel()
	panels, records := size(t, "DOZOR_RETURNING", 15), size(t, "DOZOR_RECORDS", 100)
	h := open(t, 1, station.Options{Panels: panels + 1, Rabbit: true, Redis: true})
	returning, other := h.Panels[:panels], h.Panels[panels:]
	require.Less(t, records, h.Sim.Panel(1).LogSize, "nothing is overwritten")
	for _, p := range returning {
		h.Sim.Act(p.Number, "link/drop")
	}
	for _, p := range returning {
		h.Sim.Act(p.Number, fmt.Sprintf("burst?kind=mixed&events=%d", records))
	}
	for _, p := range returning {
		h.Sim.Act(p.Number, "link/restore")
	}
	all := h.Panels
	h.Panels = other
	const read = "SELECT count(*) >= $1 FROM events WHERE raw IS NOT NULL"
	total := panels * records
	began := time.Now()
	h.holdUps("panels return", h.once("their history is read", 10*time.Minute, func() bool { return h.Is(read, total) }))
	t.Logf("%d records were read and stored in %v", total, time.Since(began).Round(time.Millisecond))
	h.Panels = all
	h.unnoticed()
	h.compare()
}
