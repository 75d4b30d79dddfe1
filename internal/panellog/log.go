package panellog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"dozor/internal/bus"
	"dozor/internal/ids"
	"dozor/internal/pg"
	"dozor/internal/wire"
	"dozor/satel"
)

// Reader reads a panel's event memory over the connection of the moment. The instant
// returned is when the answer's last byte came.
type Reader interface {
	Newest(ctx context.Context) (satel.LogEntry, time.Time, error)
	Older(ctx context.Context, arg satel.Index) (satel.LogEntry, time.Time, error)
}

// ErrLost says that another worker holds the panel's log under a higher fence: this one
// has nothing to do here any more.
var ErrLost = errors.New("another worker took over the panel's log")

// ErrFull says that so many records wait to be stored that no look may find one more.
var ErrFull = errors.New("too many records wait to be stored")

// Config of a Log. Everything but Present and Hit is required.
type Config struct {
	Panel  ids.PanelID
	Fence  int64
	Pool   *pg.Pool
	Logger *slog.Logger
	Clock  func() time.Time
	// Location is where the panel's clock shows local time.
	Location *time.Location
	// Send hands messages to the bus without waiting for it; what was sent in vain is
	// sent again when its key does not appear in PostgreSQL.
	Send func([]bus.Message)
	// Room says whether one more record may be held: one that a walk reads, or news, which
	// are what a look finds and what came with it since the look before.
	Room func(walked bool) bool
	// Held is told of changes of the number of records held: read, and not seen in
	// PostgreSQL yet.
	Held func(delta int)
	// Present says which keys PostgreSQL has; see Present. Nil: each log asks for itself.
	Present func(ctx context.Context, keys []bus.Key) (map[bus.Key]bool, error)
	// Trace makes the trace context of a message.
	Trace func() string
	// Hit marks points at which tests kill; nil in production.
	Hit func(point string)
}

// Limits of reading back.
const (
	knownPairs       = 64  // remembered at and below the cursor
	firstContactSpan = 200 // records of a new panel's memory that are kept as history
	liveSpan         = 64  // records below a top that may go on the live lane
	walkBurst        = 32  // records read between two looks
	codeErased       = 621 // "event memory erased": nothing older is readable
)

// LookEvery bounds how long a walk goes on without looking for news: an alarm that comes
// meanwhile is still on the screen within a second.
const LookEvery = 500 * time.Millisecond

// recent is the age up to which a record belongs on the live lane, by the panel's own
// clock corrected; older ones are history that must not delay anybody.
const recent = 10 * time.Minute

// Log is one panel's event memory as this worker knows it.
type Log struct {
	cfg   Config
	store store

	loaded   bool
	contact  bool // the panel has a log row
	sawEmpty bool // first contact found an empty memory
	timeline string
	epoch    int
	mark     int64
	cursor   int64         // number of the segment whose top is the cursor
	known    []pair        // cursor first; empty: the memory was empty
	former   map[pair]bool // known pairs of memories that were left for another
	segments []*segment    // open ones, oldest first
	notices  []*item       // sent until settled, without effect on any mark
	erased   *item         // said when the memory was found empty, until it is settled

	reader      Reader
	probed      bool // the epoch was probed on this connection, since the log was loaded
	looked      bool // a look succeeded on this connection
	burst       int
	lastLook    time.Time // when the last successful look was asked
	clockOffset time.Duration
	model       int
}

// pair is what two readings of one record have in common: index and masked record.
type pair struct {
	index  satel.Index
	record satel.Record
}

func pairOf(e satel.LogEntry) pair { return pair{e.Index, e.Record.Masked()} }

// place is a record at its place in a segment.
type place struct {
	offset     int
	arg        satel.Index // the argument that gave it
	index      satel.Index
	record     satel.Record // raw
	receivedAt time.Time
	notBefore  time.Time
}

func (p place) pair() pair { return pair{p.index, p.record.Masked()} }

// New makes a Log that knows nothing yet; Connect loads it.
func New(cfg Config) *Log {
	if cfg.Hit == nil {
		cfg.Hit = func(string) {}
	}
	if cfg.Present == nil {
		cfg.Present = Present(cfg.Pool)
	}
	return &Log{cfg: cfg, store: store{cfg.Pool}, burst: walkBurst, model: -1}
}

// SetModel tells the panel's type code of 0x7E, which goes into reports.
func (l *Log) SetModel(code int) { l.model = code }

// SetClockOffset tells the panel's clock minus ours, as last measured.
func (l *Log) SetClockOffset(d time.Duration) { l.clockOffset = d }

func (l *Log) newest() *segment {
	if len(l.segments) == 0 {
		return nil
	}
	return l.segments[len(l.segments)-1]
}

// Connect begins a connection: loads what PostgreSQL has unless it is loaded, probes
// the epoch, and forgets what only held for the last connection. What was sent and is
// not settled stays: it goes out again although the panel may be gone.
func (l *Log) Connect(ctx context.Context, r Reader) error {
	l.disconnect()
	l.reader = r
	if err := l.ensureLoaded(ctx); err != nil {
		return err
	}
	if !l.contact {
		return l.firstContact(ctx)
	}
	return l.probe(ctx, changedAway)
}

// changedAway is why an epoch is raised at the first probe of a connection.
const changedAway = "the record behind the cursor changed while the panel was away"

// Disconnected ends a connection: what was read on it and not sent is let go, and read
// again on the next.
func (l *Log) Disconnected() {
	l.looked = false
	for _, s := range l.segments {
		l.unconfirm(s)
	}
}

// disconnect forgets what only holds for one connection.
func (l *Log) disconnect() {
	l.Disconnected()
	l.probed = false
	for _, s := range l.segments {
		s.reachable, s.checked = false, false
		// A walk that met something has sent all there was. Another may have to be made again.
		if s.gap == nil && s.end != endMet {
			s.end = endOpen
		}
	}
}

// unconfirm drops what was read of a segment and never confirmed; it is read again.
func (l *Log) unconfirm(s *segment) {
	l.cfg.Held(-len(s.pending))
	s.pending, s.endSeen = nil, endOpen
}

// ensureLoaded loads log and open segments, keeping what is unsettled of segments that
// PostgreSQL still knows. Segments that it lost are read from the panel again.
func (l *Log) ensureLoaded(ctx context.Context) error {
	if l.loaded {
		return nil
	}
	row, err := l.store.load(ctx, l.cfg.Panel, l.cfg.Fence)
	if err != nil {
		return fmt.Errorf("load the log of panel %d: %w", l.cfg.Panel, err)
	}
	old := map[int64]*segment{}
	for _, s := range l.segments {
		l.unsettle(s)
		old[s.number] = s
	}
	l.timeline, l.contact, l.epoch, l.mark = row.timeline, row.exists, row.epoch, row.mark
	l.cursor, l.known, l.former, l.segments = row.cursor, row.known, row.former, row.segments
	for _, s := range l.segments {
		if before := old[s.number]; before != nil {
			l.notices = append(l.notices, s.adopt(before)...)
			delete(old, s.number)
		}
	}
	// What PostgreSQL lost with the segment's row is read again from the panel; until
	// then, the panel may be gone, what we hold of it keeps going out.
	for _, lost := range old {
		l.notices = append(l.notices, lost.sent...)
		if lost.gap != nil {
			l.notices = append(l.notices, lost.gap)
		}
	}
	l.loaded = true
	// The top goes out again from its row: it may never have been sent.
	for _, s := range l.segments {
		if s.low.offset > 0 && len(s.sent) == 0 {
			l.emit(s, s.top)
		}
	}
	return nil
}

// unsettle makes everything of a segment that was seen in PostgreSQL unseen.
func (l *Log) unsettle(s *segment) {
	held := append([]*item{}, s.sent...)
	if s.gap != nil {
		held = append(held, s.gap)
	}
	for _, it := range held {
		if it.settled {
			it.settled = false
			l.cfg.Held(1)
		}
	}
}

// forget drops what was held as settled, so that the next step loads it again.
func (l *Log) forget() {
	l.loaded = false
	l.disconnect()
}

// Ready reports whether the log is loaded and the panel's memory was looked at on this
// connection.
func (l *Log) Ready() bool { return l.loaded && l.contact && l.looked }

// Begun reports whether the first contact is on record: what the panel writes from then on
// is news to whoever reads it, this process or another after its death.
func (l *Log) Begun() bool { return l.contact }

// firstContact begins the log of a panel that was never read. The newest record is the
// cursor, what is behind it history. Of an empty memory nothing can be known, and that
// is said.
func (l *Log) firstContact(ctx context.Context) error {
	if l.sawEmpty {
		// What comes now is news, not history; the log begins with Settle.
		return nil
	}
	newest, at, err := l.reader.Newest(ctx)
	if err != nil {
		return err
	}
	if !newest.Record.Present() {
		l.sawEmpty = true
		l.notices = append(l.notices, l.notice(wire.MemoryWasEmpty, fmt.Sprintf("panel %d", l.cfg.Panel), at, nil))
		return nil
	}
	known := []pair{pairOf(newest)}
	behind, _, err := l.reader.Older(ctx, newest.Index)
	if err != nil {
		return err
	}
	if behind.Record.Present() {
		again, _, err := l.reader.Newest(ctx)
		if err != nil {
			return err
		}
		if pairOf(again) != pairOf(newest) {
			// News came between: what was read behind may be one of them, come round in a
			// full ring. The next look begins again.
			return nil
		}
		known = append(known, pairOf(behind))
	}
	if err := l.store.begin(ctx, l.cfg.Panel, l.cfg.Fence, l.timeline, known, &newest); err != nil {
		return fmt.Errorf("begin the log of panel %d: %w", l.cfg.Panel, err)
	}
	l.cfg.Logger.Info("first contact with the panel's memory")
	l.loaded = false
	return l.ensureLoaded(ctx)
}

// probe asks for the record behind the cursor. When it is not what was stored, the
// memory is another one, or has come round: a new epoch, with a row that says why.
func (l *Log) probe(ctx context.Context, reason string) error {
	same, err := l.sameMemory(ctx)
	if err != nil {
		return err
	}
	if same {
		l.probed = true
		return nil
	}
	moved, err := l.store.raiseEpoch(ctx, l.guard(), reason)
	if err != nil {
		return fmt.Errorf("raise the memory epoch of panel %d: %w", l.cfg.Panel, err)
	}
	if !moved {
		l.forget()
		return nil
	}
	l.probed = true
	l.mark++
	l.epoch++
	for _, k := range l.known {
		l.former[k] = true
	}
	l.cfg.Logger.Warn("the panel's memory is not the one that was read", "reason", reason, "memory_epoch", l.epoch)
	return nil
}

// sameMemory asks whether the record behind the cursor is what it was.
func (l *Log) sameMemory(ctx context.Context) (bool, error) {
	if len(l.known) == 0 {
		return true, nil
	}
	behind, _, err := l.reader.Older(ctx, l.known[0].index)
	if err != nil {
		return false, err
	}
	if len(l.known) > 1 {
		return pairOf(behind) == l.known[1], nil
	}
	return !behind.Record.Present(), nil
}

func (l *Log) guard() guard {
	return guard{panel: l.cfg.Panel, mark: l.mark, fence: l.cfg.Fence, timeline: l.timeline}
}
