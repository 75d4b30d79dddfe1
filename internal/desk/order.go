package desk

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"dozor/internal/ids"
	"dozor/internal/wire"
)

// inLogOrder puts events into the order in which they happened, as far as it is known.
// A panel's records keep the order of its log, whatever their instants say: the panel
// knows minutes only. Logs of several panels, and what has no place in a log, are merged
// by effective time.
func inLogOrder(events []logged) []wire.Event {
	type source struct {
		panel  ids.PanelID
		logged bool
	}
	lines := map[source][]logged{}
	for _, e := range events {
		s := source{e.view.PanelID, true}
		if e.segment == 0 {
			s = source{}
		}
		lines[s] = append(lines[s], e)
	}
	for s, line := range lines {
		if s.logged {
			slices.SortFunc(line, byLog)
		} else {
			slices.SortFunc(line, byTime)
		}
	}
	ordered := make([]wire.Event, 0, len(events))
	for len(lines) > 0 {
		first := slices.MinFunc(slices.Collect(maps.Keys(lines)), func(a, b source) int { return byTime(lines[a][0], lines[b][0]) })
		ordered = append(ordered, lines[first][0].view)
		if lines[first] = lines[first][1:]; len(lines[first]) == 0 {
			delete(lines, first)
		}
	}
	return ordered
}

// byLog: a segment's top has offset 0, older records count down.
func byLog(a, b logged) int {
	return cmp.Or(cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.segment, b.segment), cmp.Compare(a.offset, b.offset))
}

func byTime(a, b logged) int {
	return cmp.Or(a.view.At.Compare(b.view.At), bytes.Compare(a.view.ID[:], b.view.ID[:]))
}
