package alarm

import (
	"slices"
	"time"

	"dozor/internal/event"
	"dozor/internal/ids"
)

// MatchWithin is how far apart an inference from state bits and the record that explains
// it may lie.
const MatchWithin = 120 * time.Second

// Match is an inference that waits for its record, or a record that an inference may yet
// explain; or the pair, when the second has come. Each takes one other.
type Match struct {
	PanelID     ids.PanelID
	Kind        event.Kind // of the first
	Zone        int        // 0: the partition as a whole
	Partition   int        // 0: not known
	Provisional ids.EventID
	Record      ids.EventID
	AlarmID     ids.AlarmID
	At          time.Time

	Alarm   *Alarm // may be known before its id
	IsNew   bool
	Changed bool
}

// halves are the open matches of a site: every record waits for a while, hardly an
// inference does, and each looks through the other ones only.
type halves struct{ inferences, records []*Match }

func (h *halves) add(m *Match) {
	if m.Record == (ids.EventID{}) {
		h.inferences = append(h.inferences, m)
	} else if m.Provisional == (ids.EventID{}) {
		h.records = append(h.records, m)
	}
}

// others are those that may be the other half of an event.
func (h *halves) others(e *event.Event) *[]*Match {
	if e.Provisional {
		return &h.records
	}
	return &h.inferences
}

// fits reports whether an event is the other half of one that waits for such. An inferred code is a guess from the
// zone's reaction, so that an equal zone counts whatever the kinds; without a zone the
// kind must be equal, or not known.
func (m *Match) fits(e *event.Event) bool {
	if m.PanelID != e.PanelID || e.EffectiveAt.Sub(m.At).Abs() > MatchWithin {
		return false
	}
	inferredZone, sameKind := m.Zone, m.Kind == e.Kind
	if e.Provisional {
		inferredZone = e.Zone
	}
	if inferredZone != 0 {
		return m.Zone == e.Zone
	}
	isGuessless := m.Kind == event.Unknown || e.Kind == event.Unknown
	return m.Partition == e.Partition && m.Partition != 0 && (sameKind || isGuessless)
}

// quiets reports whether the second half may join the first one's alarm without a ring:
// it says the same, or nothing more pressing. What the first did not say must ring.
func (m *Match) quiets(e *event.Event, first *Alarm) bool {
	return m.Kind == e.Kind || e.Priority > event.P1 && e.Priority >= first.Priority
}

func (m *Match) take(e *event.Event, a *Alarm) {
	if e.Provisional {
		m.Provisional = e.ID
	} else {
		m.Record = e.ID
	}
	m.Alarm, m.Changed = a, true
}

// match takes the half that waits for this event out of the waiting ones: of the same
// kind first, then the nearest in time. It returns nil when there is none.
func (b *Board) match(e *event.Event) *Match {
	waiting := b.halves.others(e)
	best := -1
	for i, m := range *waiting {
		if m.fits(e) && (best < 0 || m.isBetter((*waiting)[best], e)) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	m := (*waiting)[best]
	*waiting = slices.Delete(*waiting, best, best+1)
	return m
}

func (m *Match) isBetter(other *Match, e *event.Event) bool {
	if mine, theirs := m.Kind == e.Kind, other.Kind == e.Kind; mine != theirs {
		return mine
	}
	return e.EffectiveAt.Sub(m.At).Abs() < e.EffectiveAt.Sub(other.At).Abs()
}

// await remembers an event whose other half may come later. Of a record that was read
// late the bits were never seen.
func (b *Board) await(e *event.Event, a *Alarm) {
	if e.PanelID == 0 || e.Source != event.FromPanel || e.Zone == 0 && e.Partition == 0 {
		return
	}
	if e.ReceivedAt.Sub(e.EffectiveAt) > MatchWithin {
		return
	}
	m := &Match{
		PanelID: e.PanelID, Kind: e.Kind, Zone: e.Zone, Partition: e.Partition,
		At: e.EffectiveAt, Alarm: a, IsNew: true,
	}
	if e.Provisional {
		m.Provisional = e.ID
	} else {
		m.Record = e.ID
	}
	b.matches = append(b.matches, m)
	b.halves.add(m)
}
