package worker

import (
	"context"

	"dozor/internal/site"
	"dozor/satel"
	"dozor/satel/client"
)

// codeBurglary is what a zone raises of which nothing is known.
const codeBurglary = 130

// nameReader reads the names of partitions, zones and outputs, one a turn, when nothing
// else is to be done.
type nameReader struct {
	todo  []nameOf
	found []site.Object
	zones map[int]satel.ObjectName
	done  bool
}

type nameOf struct {
	kind   satel.ObjectType
	number int
}

func newNameReader(m satel.Model) *nameReader {
	r := &nameReader{zones: map[int]satel.ObjectName{}}
	for n := 1; n <= m.Partitions; n++ {
		r.todo = append(r.todo, nameOf{satel.NamePartition, n})
	}
	for n := 1; n <= m.Zones; n++ {
		r.todo = append(r.todo, nameOf{satel.NameZoneAndPartition, n})
	}
	for n := 1; n <= m.Outputs; n++ {
		r.todo = append(r.todo, nameOf{satel.NameOutput, n})
	}
	return r
}

// alarmCode is the event that a zone raises, by its reaction.
func (r *nameReader) alarmCode(zone int) int {
	if name, ok := r.zones[zone]; ok {
		if code, ok := satel.ZoneReactionAlarmEvent(name.Function); ok {
			return code
		}
	}
	return codeBurglary
}

// partition is a zone's partition, 0 when not known.
func (r *nameReader) partition(zone int) int {
	if name, ok := r.zones[zone]; ok {
		return partitionOf(name)
	}
	return 0
}

// partitionOf reads the extra byte of a zone's name.
func partitionOf(name satel.ObjectName) int {
	if len(name.Extra) == 0 {
		return 0
	}
	return int(name.Extra[0])
}

// readName reads one name and reports whether there was one to read.
func (s *session) readName(ctx context.Context) (more bool, err error) {
	r := s.names
	if len(r.todo) == 0 {
		if r.done {
			return false, nil
		}
		bounded, cancel := context.WithTimeout(ctx, storeAttempt)
		defer cancel()
		if err := s.w.cfg.Panels.SaveObjects(bounded, s.panel, r.found); err != nil {
			// The names of before stay; the next connection reads them again.
			s.log.Warn("names of the panel were not saved", "err", err)
		}
		r.done = true
		return false, nil
	}
	next := r.todo[0]
	r.todo = r.todo[1:]
	name, ok, err := s.conn.Name(ctx, next.kind, next.number)
	if err != nil {
		if client.IsLost(err) {
			return true, err
		}
		return true, nil
	}
	s.alive()
	if !ok {
		return true, nil
	}
	object := site.Object{Kind: "partition", Number: next.number, Name: name.Text, Function: int(name.Function)}
	switch next.kind {
	case satel.NameZoneAndPartition:
		object.Kind, object.Partition = "zone", partitionOf(name)
		r.zones[next.number] = name
	case satel.NameOutput:
		object.Kind = "output"
	default:
	}
	r.found = append(r.found, object)
	return true, nil
}
