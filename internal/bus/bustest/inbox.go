package bustest

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/stretchr/testify/require"

	"dozor/internal/bus"
)

// inbox is what the consumers of a case have got and acked. Safe for concurrent use.
type inbox struct {
	s    *scene
	want map[bus.Key]bus.Message

	mu      sync.Mutex
	acked   map[bus.Key]bool
	inHands map[bus.Key]bool
}

func (s *scene) inbox(msgs ...bus.Message) *inbox {
	in := &inbox{s: s, want: map[bus.Key]bus.Message{}, acked: map[bus.Key]bool{}, inHands: map[bus.Key]bool{}}
	for _, m := range msgs {
		in.want[m.Key] = m
	}
	return in
}

func (in *inbox) missing() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.want) - len(in.acked)
}

func (in *inbox) note(keys ...bus.Key) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, key := range keys {
		in.acked[key] = true
	}
}

// check says that a delivery is what was published.
func (in *inbox) check(d bus.Delivery) { require.NoError(in.s.t, in.differs(d)) }

func (in *inbox) differs(d bus.Delivery) error {
	want, ok := in.want[d.Key]
	switch {
	case !ok:
		return fmt.Errorf("message %x was never published here", d.Key)
	case d.Lane != want.Lane || d.Topic != want.Topic || d.Trace != want.Trace:
		return fmt.Errorf("message %x: got %s %q %q, want %s %q %q", d.Key, d.Lane, d.Topic, d.Trace, want.Lane, want.Topic, want.Trace)
	case !bytes.Equal(d.Body, want.Body):
		return fmt.Errorf("message %x: another body came, %d bytes for %d", d.Key, len(d.Body), len(want.Body))
	case d.Attempt < 1:
		return fmt.Errorf("message %x: attempt %d", d.Key, d.Attempt)
	}
	return nil
}

// take acks a batch and notes what it had.
func (in *inbox) take(b bus.Batch) { require.NoError(in.s.t, in.tryTake(b)) }

func (in *inbox) tryTake(b bus.Batch) error {
	if err := in.hold(b); err != nil {
		return err
	}
	err := b.Ack(in.s.ctx, tagsOf(b.Deliveries())...)
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, d := range b.Deliveries() {
		delete(in.inHands, d.Key)
		if err == nil {
			in.acked[d.Key] = true
		}
	}
	if in.s.good() {
		return err
	}
	return nil
}

// hold checks what came. On a good way nobody else has it, as long as no message was
// published twice.
func (in *inbox) hold(b bus.Batch) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, d := range b.Deliveries() {
		if err := in.differs(d); err != nil {
			return err
		}
		if in.s.good() && in.inHands[d.Key] && !in.s.repeats {
			return fmt.Errorf("message %x is at two consumers at one time", d.Key)
		}
		in.inHands[d.Key] = true
	}
	return nil
}

// collect receives and acks until everything wanted was acked, some of it while the way
// is broken.
func (in *inbox) collect(p Process, c bus.Consumer) { require.NoError(in.s.t, in.tryCollect(p, c)) }

func (in *inbox) tryCollect(p Process, c bus.Consumer) error {
	s := in.s
	for round := 0; in.missing() > 0; round++ {
		if s.ctx.Err() != nil {
			return fmt.Errorf("%d of %d messages did not come", in.missing(), len(in.want))
		}
		disturbed := s.disturbs(round)
		if disturbed {
			s.weather.fault(p.Way)
		}
		b, err := s.tryReceive(c, 1+s.intn(1+len(in.want)/2), trouble/2)
		if err == nil && b != nil {
			err = in.tryTake(b)
		}
		if disturbed {
			p.Way.Heal()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// finish acks what still comes, duplicates, until the lane is empty.
func (in *inbox) finish(p Process, c bus.Consumer, lane bus.Lane) {
	s := in.s
	require.Zero(s.t, in.missing())
	for {
		if b := s.receive(c, 100, quiet); b != nil {
			in.take(b)
			continue
		}
		require.NoError(s.t, s.ctx.Err(), "the lane does not become empty")
		depth, err := p.Bus.Depth(s.ctx, lane)
		if err == nil && depth == 0 {
			return
		}
		if s.good() {
			require.NoError(s.t, err)
		}
	}
}
