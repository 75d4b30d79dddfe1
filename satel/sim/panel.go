package sim

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"dozor/satel"
)

// Panel is one simulated alarm panel with its network module. It may be used by any number of goroutines. Without a
// Server it does everything but answer on the network.
type Panel struct {
	cfg   Config
	model satel.Model
	zone  *time.Location
	link  *link

	mu         sync.Mutex
	now        time.Time // of the happening that is being worked on
	clockError time.Duration
	random     *rand.Rand
	agenda     agenda
	board      *board
	memory     memory
	waiting    []Event // records on their way to the memory, in order
	queued     []Event // records of the act under way, see collect
	collecting bool
	logMode    LogMode
	logLate    time.Duration
	zones      map[int]*zoneState
	partitions map[int]*partitionState
	order      []*partitionState // partitions by number
	troubles   map[string]*troubleState
	users      map[string]*User
	wrongCodes int
	switched   map[int]bool // outputs that commands have switched on
	commands   []CommandRecord
	service    bool
	serials    map[int]int // of user numbers that are free
	// thermometers of zones, by number
	thermometers map[int]satel.Temperature
	shown        uint64 // changes and records, those on their way too, that subscribers were woken for
}

// New makes a panel that is disarmed and at rest, with an empty event memory or that of its journal. It fails when the
// configuration contradicts itself or the model, every problem is named, and when the journal is another panel's. A panel
// with a journal must be closed.
func New(cfg Config) (*Panel, error) {
	cfg = cfg.withDefaults()
	model, ok := satel.ModelByName(cfg.Model)
	if !ok {
		return nil, fmt.Errorf("panel model %q is not known", cfg.Model)
	}
	zone, err := time.LoadLocation(cfg.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("panel time zone: %w", err)
	}
	if err := cfg.Site.validate(model); err != nil {
		return nil, fmt.Errorf("panel site: %w", err)
	}
	cfg.Site = cfg.Site.clone()
	if cfg.LogCapacity == 0 {
		cfg.LogCapacity = model.LogSize
	}
	if cfg.LogCapacity < 1 || cfg.LogCapacity > model.LogSize {
		return nil, fmt.Errorf("log capacity %d: %s keeps 1 to %d records", cfg.LogCapacity, model.Name, model.LogSize)
	}
	p := &Panel{
		cfg: cfg, model: model, zone: zone, clockError: cfg.ClockError,
		random: rand.New(rand.NewPCG(cfg.Seed, uint64(model.Code))), //nolint:gosec // no secret depends on it
		board:  newBoard(), memory: memory{capacity: cfg.LogCapacity},
		zones: map[int]*zoneState{}, partitions: map[int]*partitionState{}, troubles: map[string]*troubleState{},
		users: map[string]*User{}, switched: map[int]bool{},
		serials: map[int]int{}, thermometers: map[int]satel.Temperature{},
	}
	p.memory.low = byte(0x10 + p.random.IntN(0xE0))
	p.link = newLink(p.random.Uint64())
	p.link.clients, p.link.wrongKey, p.link.idleLimit = cfg.Clients, cfg.WrongKey, cfg.IdleLimit
	if err := p.SetKey(cfg.Encrypted, cfg.Key); err != nil {
		return nil, err
	}
	p.cfg.Key = "" // the cipher is all that is needed of it
	for i := range cfg.Site.Partitions {
		part := &cfg.Site.Partitions[i]
		p.partitions[part.Number] = &partitionState{Partition: part, sounding: map[alarmKind]bool{}}
	}
	for n := range model.Partitions {
		if part := p.partitions[n+1]; part != nil {
			p.order = append(p.order, part)
		}
	}
	for i := range cfg.Site.Zones {
		z := &cfg.Site.Zones[i]
		p.zones[z.Number] = &zoneState{Zone: z}
	}
	p.indexUsers()
	if err := p.powerUp(); err != nil {
		return nil, err
	}
	return p, nil
}

// powerUp takes over the memory of the journal, if there is one. Records in it mean that the panel ran before.
func (p *Panel) powerUp() error {
	if p.cfg.Journal == "" {
		return nil
	}
	file, err := openJournal(p.cfg.Journal, p.model.Name, p.zone, &p.memory)
	if err != nil {
		return err
	}
	p.memory.file = file
	p.enter()
	defer p.leave()
	if len(p.memory.journal) > 0 {
		p.log(happening{code: codeRestart})
	}
	return nil
}

// Close lets go of the panel's journal; its error is that of the first record that could not be written. A panel without
// a journal needs no closing. Afterwards the panel must not be used.
func (p *Panel) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.memory.file == nil {
		return nil
	}
	return p.memory.file.close()
}

// Model returns what kind of panel it is.
func (p *Panel) Model() satel.Model { return p.model }

// Site returns a copy of what an installer would read out of the panel now.
func (p *Panel) Site() *Site {
	p.enter()
	defer p.unlock()
	return p.cfg.Site.clone()
}

// enter locks the panel and lets everything happen that is due by now. The caller unlocks.
func (p *Panel) enter() {
	p.mu.Lock()
	now := p.cfg.Now()
	for t := p.agenda.pop(now); t != nil; t = p.agenda.pop(now) {
		p.now = t.due
		t.do()
		p.showOutputs()
	}
	p.now = now
}

// leave ends what enter began, after an act.
func (p *Panel) leave() {
	p.showOutputs()
	p.unlock()
}

// unlock ends what enter began, when nothing was done but what was due.
func (p *Panel) unlock() {
	if shown := p.board.changes + uint64(len(p.memory.journal)+len(p.waiting)); shown != p.shown {
		p.shown = shown
		p.link.wake()
	}
	p.mu.Unlock()
}

// after plans do for d after the present happening.
func (p *Panel) after(d time.Duration, do func()) *task { return p.agenda.add(p.now.Add(d), do) }

// clock returns what the panel's clock shows at the time of the present happening.
func (p *Panel) clock() time.Time { return p.now.Add(p.clockError).In(p.zone) }

// Clock returns what the panel's own clock shows, in the panel's time zone.
func (p *Panel) Clock() time.Time {
	p.enter()
	defer p.unlock()
	return p.clock()
}

// SetClock sets the panel's clock to the local time that t shows, as a user at a keypad would.
func (p *Panel) SetClock(t time.Time) []Event {
	p.enter()
	defer p.leave()
	return p.collect(func() { p.setClock(t, p.anyUser()) })
}

func (p *Panel) setClock(t time.Time, user int) {
	p.log(happening{code: codeClockBeingSet, source: byUser(user)})
	local := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, p.zone)
	p.clockError = local.Sub(p.now)
	p.log(happening{code: codeClockSet})
}

// Restart restarts the panel: every connection is lost, every list counts as news, everything else is kept.
func (p *Panel) Restart() []Event {
	p.enter()
	events := p.collect(func() {
		p.log(happening{code: codeRestart})
		p.board.raiseAll()
	})
	p.leave()
	p.link.cut("the panel restarted")
	return events
}

// anyUser is the number of the user to whom acts without a name are put down: the first of the site, 0 when it has none.
func (p *Panel) anyUser() int {
	if len(p.cfg.Site.Users) == 0 {
		return 0
	}
	return p.cfg.Site.Users[0].Number
}
