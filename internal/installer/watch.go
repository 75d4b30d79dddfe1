package installer

import (
	"context"
	"fmt"
	"io"
	"time"

	"dozor/satel"
)

const (
	// askEvery is how often a panel that pushes nothing is asked for news, checkEvery how often everything is looked at
	// whatever it pushes; the module hangs up after 25 s without a request.
	askEvery   = time.Second
	checkEvery = 10 * time.Second

	// catchUp bounds the records that one look at the event memory reads back.
	catchUp = 200

	// newsRoom holds what the module pushes while a request waits. What does not fit is found by the next check.
	newsRoom = 256
)

// Change is one thing that has happened: part of the panel came into a state or left it, or an event was recorded.
type Change struct {
	At     time.Time `json:"at"` // by our clock, in the zone of the panel's
	Kind   string    `json:"kind"`
	Number int       `json:"number,omitempty"`
	Name   string    `json:"name,omitempty"`
	State  string    `json:"state,omitempty"`
	On     bool      `json:"on"`
	Event  *Event    `json:"event,omitempty"`
}

// Write writes the change as one line.
func (c Change) Write(w io.Writer) error {
	if c.Event != nil {
		if _, err := fmt.Fprintf(w, "%s  event  ", c.At.Format(time.TimeOnly)); err != nil {
			return err
		}
		return c.Event.Write(w)
	}
	name := ""
	if c.Name != "" {
		name = fmt.Sprintf(" %q", c.Name)
	}
	over := ""
	if !c.On {
		over = "no longer "
	}
	_, err := fmt.Fprintf(w, "%s  %s %d%s: %s%s\n", c.At.Format(time.TimeOnly), c.Kind, c.Number, name, over, c.State)
	return err
}

// Watch tells of every change until the context ends, which is no error. begun is called once everything was read for
// the first time, and says what the panel is and whether it tells of changes by itself.
func Watch(ctx context.Context, t Target, loc *time.Location, begun func(panel string, pushes bool), tell func(Change) error) error {
	news := make(chan satel.Frame, newsRoom)
	p, err := Open(ctx, t, loc, func(f satel.Frame) {
		select {
		case news <- f:
		default:
		}
	})
	if err != nil {
		return err
	}
	defer p.Close()
	w := &watcher{
		Panel: p, loc: loc, tell: tell, states: map[satel.Command]satel.Bits{}, names: map[part]string{},
		words: map[satel.Command]string{},
	}
	for _, l := range lists {
		w.words[l.cmd] = l.word
		w.all = w.all.With(l.cmd)
	}
	if err := w.begin(ctx); err != nil {
		return ended(ctx, p.explain(err))
	}
	begun(p.report().title(), w.pushes)
	return ended(ctx, w.follow(ctx, news))
}

// ended makes no error of a context that has ended.
func ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

type part struct {
	kind   satel.ListKind
	number int
}

type watcher struct {
	*Panel
	loc    *time.Location
	tell   func(Change) error
	all    satel.CommandSet // lists that are followed
	words  map[satel.Command]string
	states map[satel.Command]satel.Bits
	names  map[part]string
	newest satel.LogEntry
	pushes bool
}

// begin reads everything once, without telling, and asks the module to push.
func (w *watcher) begin(ctx context.Context) error {
	for _, cmd := range w.all.List() {
		bits, err := w.conn.List(ctx, cmd, w.wide())
		if err != nil && !open(ctx, err) {
			return err
		}
		if err == nil {
			w.states[cmd] = bits
		} else {
			w.all = w.all.Without(cmd) // an old module does not know it
		}
	}
	var err error
	if w.newest, _, err = w.conn.Newest(ctx); err != nil {
		return err
	}
	if w.module == nil {
		return nil // too old to push
	}
	result, err := w.conn.Subscribe(ctx, satel.Subscription{Changed: w.all}, satel.NewDataMiddle)
	if err != nil && !open(ctx, err) {
		return err
	}
	w.pushes = err == nil && result.Success()
	return nil
}

func (w *watcher) follow(ctx context.Context, news <-chan satel.Frame) error {
	every := askEvery
	if w.pushes {
		every = checkEvery
	}
	ask, check := time.NewTicker(every), time.NewTicker(checkEvery)
	defer ask.Stop()
	defer check.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-w.conn.Done():
			return w.explain(w.conn.Err())
		case f := <-news:
			err = w.pushed(ctx, f)
		case <-ask.C:
			err = w.ask(ctx)
		case <-check.C:
			err = w.check(ctx, w.all)
		}
		if err != nil && !open(ctx, err) {
			return w.explain(err)
		}
	}
}

// pushed takes in what the module sent by itself. Each list may have left an event behind.
func (w *watcher) pushed(ctx context.Context, f satel.Frame) error {
	kind := f.Cmd.List()
	if w.all.Has(f.Cmd) && (len(f.Data) == kind.Size(false) || len(f.Data) == kind.Size(true)) {
		changed, err := w.take(ctx, f.Cmd, satel.Bits(f.Data))
		if err != nil || !changed {
			return err
		}
		return w.log(ctx)
	}
	if f.Cmd == satel.CmdEventRecord {
		return w.log(ctx)
	}
	return nil
}

// ask reads the lists that have news.
func (w *watcher) ask(ctx context.Context) error {
	size := satel.NewDataShort
	if w.module != nil {
		size = satel.NewDataMiddle
	}
	flags, err := w.conn.NewData(ctx, size)
	if err != nil {
		return err
	}
	flags &= w.all
	if flags == 0 {
		return nil
	}
	return w.check(ctx, flags)
}

// check reads lists and the newest of the event memory.
func (w *watcher) check(ctx context.Context, cmds satel.CommandSet) error {
	for _, cmd := range cmds.List() {
		bits, err := w.conn.List(ctx, cmd, w.wide())
		if err != nil {
			return err
		}
		if _, err := w.take(ctx, cmd, bits); err != nil {
			return err
		}
	}
	return w.log(ctx)
}

// take tells what is new in a list.
func (w *watcher) take(ctx context.Context, cmd satel.Command, bits satel.Bits) (changed bool, err error) {
	before := w.states[cmd]
	w.states[cmd] = bits
	for _, on := range []bool{true, false} {
		from, to := before, bits
		if !on {
			from, to = bits, before
		}
		for _, n := range to.Rises(from) {
			changed = true
			c := Change{At: time.Now().In(w.loc), Number: n, State: w.words[cmd], On: on}
			switch cmd.List() {
			case satel.ListZones:
				c.Kind = "zone"
			case satel.ListOutputs:
				c.Kind = "output"
			case satel.ListExpanders:
				c.Kind, c.Number = "expander", n-1
			default:
				c.Kind = "partition"
			}
			if c.Name, err = w.name(ctx, cmd.List(), c.Number); err != nil {
				return changed, err
			}
			if err := w.tell(c); err != nil {
				return changed, err
			}
		}
	}
	return changed, nil
}

// name reads a name the first time that it is needed.
func (w *watcher) name(ctx context.Context, kind satel.ListKind, number int) (string, error) {
	if name, ok := w.names[part{kind, number}]; ok {
		return name, nil
	}
	t, asked := satel.NamePartition, number
	switch kind {
	case satel.ListZones:
		t = satel.NameZone
	case satel.ListOutputs:
		t = satel.NameOutput
	case satel.ListExpanders:
		t, asked = satel.NameDevice, firstExpander+number
	}
	name, _, err := w.conn.Name(ctx, t, asked)
	if err != nil && !open(ctx, err) {
		return "", err
	}
	if err == nil {
		w.names[part{kind, number}] = name.Text
	}
	return name.Text, nil
}

// log tells of the events since the last look.
func (w *watcher) log(ctx context.Context) error {
	entries, err := w.walk(ctx, catchUp, func(e satel.LogEntry) bool {
		return e.Index == w.newest.Index && e.Record.Masked() == w.newest.Record.Masked()
	})
	if err != nil || len(entries) == 0 {
		return err
	}
	w.newest = entries[len(entries)-1]
	for _, e := range w.events(entries, w.loc) {
		if err := w.tell(Change{At: time.Now().In(w.loc), Kind: "event", On: true, Event: &e}); err != nil {
			return err
		}
	}
	return nil
}
