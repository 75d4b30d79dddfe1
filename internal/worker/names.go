package worker

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"dozor/internal/event"
	"dozor/internal/site"
	"dozor/satel"
	"dozor/satel/client"
)

// Pace of reading names. A real module takes a quarter of a second for each, in which
// nothing else can be asked.
const (
	namesPause  = time.Second      // between two, but in a panel's first round
	namesEvery  = 24 * time.Hour   // a whole round, without any sign
	namesSettle = 30 * time.Second // after a sign: who programs is not done yet
	namesRetry  = 5 * time.Second  // after PostgreSQL refused
	namesSaved  = 16               // are kept in memory until they are saved
	nameTries   = 3                // of one that gets no answer
)

// pace is what of this tests make faster.
type pace struct{ pause, every, settle time.Duration }

// identityOf is what the panel's answer says of itself.
func identityOf(v satel.PanelVersion, m satel.Model) site.Identity {
	return site.Identity{Type: v.Type, Model: m.Name, Firmware: v.Firmware.Version, Language: byte(v.Language)}
}

// codeBurglary is what a zone raises of which nothing is known.
const codeBurglary = 130

// nameKind is a range of objects whose names are read.
type nameKind struct {
	kind   string // of site.Object
	asked  satel.ObjectType
	offset int // from the object's number to that on the wire
	first  int
	count  func(satel.Model) int
}

// nameKinds are all of them, in the order of reading.
var nameKinds = []nameKind{
	{"partition", satel.NamePartition, 0, 1, func(m satel.Model) int { return m.Partitions }},
	{"zone", satel.NameZoneAndPartition, 0, 1, func(m satel.Model) int { return m.Zones }},
	{"output", satel.NameOutput, 0, 1, func(m satel.Model) int { return m.Outputs }},
	{"expander", satel.NameDevice, 129, 0, func(m satel.Model) int { return m.Expanders }},
	{"keypad", satel.NameDevice, 193, 0, func(m satel.Model) int { return m.Keypads }},
	{"user", satel.NameUser, 0, 1, func(m satel.Model) int { return m.Users }},
	{"user", satel.NameUser, 0, firstMaster, func(m satel.Model) int { return m.Masters }},
}

const firstMaster = 241

// placesOfKind makes the place of an object in a round: kind first, then number.
const placesOfKind = 1000

type nameOf struct {
	kind   int // in nameKinds
	number int
	tries  int
}

func (n nameOf) place() int { return (n.kind+1)*placesOfKind + n.number }
func (n nameOf) ref() site.ObjectRef {
	return site.ObjectRef{Kind: nameKinds[n.kind].kind, Number: n.number}
}

// nameReader reads what a panel calls its parts, one a turn, when nothing else is to be
// done. Rounds go on across connections and processes where they stood.
type nameReader struct {
	model    satel.Model
	identity site.Identity

	known    map[site.ObjectRef]site.Object
	loaded   bool
	survey   site.Survey
	dueAt    time.Time // by our clock: not before that
	todo     []nameOf  // of the round that goes on
	again    []nameOf  // that got no answer
	found    []site.Object
	absent   []site.ObjectRef
	place    int // of the last one read
	inRound  bool
	complete bool // of the round all was asked; it is to be saved
}

func newNameReader(m satel.Model) *nameReader {
	return &nameReader{model: m, known: map[site.ObjectRef]site.Object{}}
}

// alarmCode is the event that a zone raises, by its reaction.
func (r *nameReader) alarmCode(zone int) int {
	if o, ok := r.known[site.ObjectRef{Kind: "zone", Number: zone}]; ok {
		if code, ok := satel.ZoneReactionAlarmEvent(byte(o.Function)); ok {
			return code
		}
	}
	return codeBurglary
}

// partition is a zone's partition, 0 when not known.
func (r *nameReader) partition(zone int) int {
	return r.known[site.ObjectRef{Kind: "zone", Number: zone}].Partition
}

// begin makes the list of a round after a place. What is on record and past the model's
// numbers is asked for as well: the panel may be a smaller one now.
func (r *nameReader) begin(after int) {
	r.todo, r.again, r.inRound, r.complete, r.place = nil, nil, true, false, after
	listed := map[site.ObjectRef]bool{}
	for kind, k := range nameKinds {
		for n := k.first; n < k.first+k.count(r.model); n++ {
			next := nameOf{kind: kind, number: n}
			listed[next.ref()] = true
			r.todo = append(r.todo, next)
		}
	}
	for ref := range r.known {
		if !listed[ref] {
			kind := slices.IndexFunc(nameKinds, func(k nameKind) bool { return k.kind == ref.Kind })
			r.todo = append(r.todo, nameOf{kind: kind, number: ref.Number})
		}
	}
	slices.SortFunc(r.todo, func(a, b nameOf) int { return cmp.Compare(a.place(), b.place()) })
	r.todo = slices.DeleteFunc(r.todo, func(n nameOf) bool { return n.place() <= after })
}

// readName does one step of reading names and reports whether it asked the panel.
func (s *session) readName(ctx context.Context) (asked bool, err error) {
	r, now := s.names, s.w.cfg.Clock()
	if s.state.ServiceMode || now.Before(s.nextName) {
		return false, nil // who programs the panel has not finished
	}
	if !r.loaded {
		s.loadSurvey(ctx, now)
		return false, nil
	}
	if len(s.signs) > 0 {
		s.heed(ctx, now)
		return false, nil
	}
	if !r.inRound {
		if now.Before(r.dueAt) {
			return false, nil
		}
		r.begin(0)
	}
	if len(r.todo) == 0 {
		r.todo, r.again = r.again, nil
		r.complete = len(r.todo) == 0
	}
	if r.complete || len(r.found)+len(r.absent) >= namesSaved {
		s.saveNames(ctx, now)
		return false, nil
	}
	next := r.todo[0]
	r.todo = r.todo[1:]
	if !r.survey.FinishedAt.IsZero() {
		s.nextName = now.Add(s.w.pace.pause)
	}
	return true, s.askName(ctx, next)
}

// askName asks for one name. An answer that is lost says nothing about the object: it is
// asked for again at the end of the round, and kept as it was should that be in vain.
func (s *session) askName(ctx context.Context, next nameOf) error {
	r, k := s.names, nameKinds[next.kind]
	object, there, err := s.objectName(ctx, next)
	if err == nil && !there {
		if _, had := r.known[next.ref()]; had {
			// The result for an object that is not there is also that of any other error.
			object, there, err = s.objectName(ctx, next)
		}
	}
	switch {
	case client.IsLost(err) || ctx.Err() != nil && err != nil:
		return err
	case err != nil:
		if next.tries++; next.tries < nameTries {
			r.again = append(r.again, next)
		}
		return nil
	}
	s.alive()
	r.place = max(r.place, next.place())
	if !there {
		r.absent = append(r.absent, next.ref())
		delete(r.known, next.ref())
		return nil
	}
	object.Kind, object.Number = k.kind, next.number
	r.found = append(r.found, object)
	r.known[next.ref()] = object
	return nil
}

// errNoName says that the panel would not tell a name; that says nothing about the object.
var errNoName = errors.New("the panel does not tell the name")

// objectName asks for a name; there is false where the panel has no such object, or has
// it in no use.
func (s *session) objectName(ctx context.Context, of nameOf) (o site.Object, there bool, err error) {
	k := nameKinds[of.kind]
	a, err := s.conn.Request(ctx, satel.CmdObjectName, satel.AppendNameRequest(nil, k.asked, of.number+k.offset))
	if err != nil {
		return o, false, err
	}
	if a.Frame.Cmd == satel.CmdResult {
		if result, err := satel.ParseResult(a.Frame.Data); err != nil || result != satel.ResultOther {
			return o, false, errNoName
		}
		return o, false, nil
	}
	name, err := satel.ParseObjectName(a.Frame.Data)
	if err != nil || name.Type != k.asked || name.Number != of.number+k.offset {
		return o, false, errNoName
	}
	o = site.Object{Name: name.Text, Function: int(name.Function)}
	switch {
	case k.asked == satel.NameOutput && name.Function == 0:
		return o, false, nil // an output that nothing uses has a name from the factory
	case k.asked == satel.NameZoneAndPartition && len(name.Extra) > 0:
		o.Partition = int(name.Extra[0])
	case k.asked == satel.NameUser && len(name.Extra) > 0:
		o.Serial = int(name.Extra[0])
	}
	return o, true, nil
}

// loadSurvey tells what the panel is and loads what is known of its parts.
func (s *session) loadSurvey(ctx context.Context, now time.Time) {
	r := s.names
	bounded, cancel := context.WithTimeout(ctx, storeAttempt)
	defer cancel()
	survey, err := s.w.cfg.Panels.Survey(bounded, s.panel, r.identity)
	if err != nil {
		s.namesFailed(now, err)
		return
	}
	r.survey, r.loaded = survey, true
	for _, o := range survey.Objects {
		r.known[site.ObjectRef{Kind: o.Kind, Number: o.Number}] = o
	}
	r.dueAt = survey.DueAt
	if survey.Place > 0 {
		r.begin(survey.Place)
	}
}

// saveNames keeps what was read. What can't be saved stays in memory, and nothing more is
// read until it is.
func (s *session) saveNames(ctx context.Context, now time.Time) {
	r := s.names
	part := site.Reading{Objects: r.found, Absent: r.absent, Place: r.place, NextAfter: s.w.pace.every}
	if r.complete {
		part.Place = 0
	}
	bounded, cancel := context.WithTimeout(ctx, storeAttempt)
	defer cancel()
	due, err := s.w.cfg.Panels.Record(bounded, s.panel, part)
	if err != nil {
		s.namesFailed(now, err)
		return
	}
	r.found, r.absent = nil, nil
	if r.complete {
		r.inRound, r.dueAt, r.survey.FinishedAt = false, due, now
		s.log.Info("the names of the panel's parts are read", "objects", len(r.known))
	}
}

func (s *session) namesFailed(now time.Time, err error) {
	s.nextName = now.Add(namesRetry)
	s.log.Debug("names of the panel can't be kept for now", "err", err)
}

// settingsSigns are the events after which a panel may be another than before: somebody
// programmed it, restarted it, or changed its users. True where the record's restore bit
// is set.
var settingsSigns = map[int][]bool{
	0x008: {false}, 0x009: {false}, 0x00A: {false}, 0x00B: {false}, 0x00C: {false}, 0x00D: {false}, // users
	0x013: {false, true}, 0x014: {false, true}, 0x036: {true}, 0x05B: {false}, // programming from afar
	0x01F: {false}, 0x020: {false}, 0x021: {false}, 0x022: {false}, // firmware, settings saved, STARTER
	0x131: {false}, 0x132: {false, true}, // restarted, settings reset or restored
	0x19C: {false}, 0x274: {false}, // programming from afar finished, service mode left
	0x3EC: {false}, 0x3ED: {false}, 0x3F4: {false}, 0x3F5: {false}, // programming by other ways
}

// signsKept bounds the records that this session knows to be signs, signsWaiting those
// that are still to be heeded: one is enough.
const (
	signsKept    = 64
	signsWaiting = 4
)

// noteSign looks whether a record that was read says that settings changed.
func (s *session) noteSign(e satel.LogEntry) {
	if !e.Record.HasEvent() || !slices.Contains(settingsSigns[e.Record.Code()], e.Record.Restore()) {
		return
	}
	masked := e.Record.Masked()
	sign := string(append(append([]byte{}, e.Index[:]...), masked[:]...))
	if slices.Contains(s.signsSeen, sign) {
		return
	}
	if len(s.signsSeen) == signsKept {
		s.signsSeen = s.signsSeen[1:]
	}
	s.signsSeen = append(s.signsSeen, sign)
	now := s.w.cfg.Clock()
	s.signs = append(s.signs, settingsSign{sign, now.Sub(e.Record.Resolve(now, event.PanelZone())) <= recentSign})
	s.signs = s.signs[max(0, len(s.signs)-signsWaiting):]
}

// settingsSign is a record that says that settings changed: its index and itself.
type settingsSign struct {
	record string
	recent bool
}

// recentSign is the age of a record up to which it may concern a first round that goes on.
const recentSign = 10 * time.Minute

// heed lets the names be read again, since the panel says that settings changed. What is
// history to a panel's first round asks for nothing: all is read anyway.
func (s *session) heed(ctx context.Context, now time.Time) {
	if s.names.survey.FinishedAt.IsZero() && !s.signs[0].recent {
		s.signs = s.signs[1:]
		return
	}
	bounded, cancel := context.WithTimeout(ctx, storeAttempt)
	defer cancel()
	due, heeded, err := s.w.cfg.Panels.Heed(bounded, s.panel, []byte(s.signs[0].record), s.w.pace.settle)
	if err != nil {
		s.namesFailed(now, err)
		return
	}
	s.signs = s.signs[1:]
	if heeded {
		s.names.inRound, s.names.dueAt = false, due
		s.names.found, s.names.absent, s.names.todo, s.names.again = nil, nil, nil, nil
		s.log.Info("the panel says that its settings changed; its names are read again")
	}
}
