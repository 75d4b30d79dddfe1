package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// PushOptions say what Push does.
type PushOptions struct {
	Clients  int           `default:"1000" placeholder:"N" help:"How many WebSockets are connected."`
	Slow     float64       `default:"0" placeholder:"SHARE" help:"Which share of them stops reading when measuring begins, 0 to 0.9."`
	Rate     float64       `default:"20" placeholder:"N" help:"Notifications per second; every client is sent each."`
	Bytes    int           `default:"1024" placeholder:"N" help:"The length of a notification's data."`
	Duration time.Duration `default:"20s" placeholder:"TIME" help:"How long notifications are sent by each server, in several turns."`
	Peer     string        `placeholder:"FILE" help:"The server to compare with, built from tools/pushpeer; without it nothing is compared. make bench-push builds it."`

	Settings `embed:""`
}

const (
	maxListeners  = 20_000
	maxRate       = 200 // a second: each is a transaction of its own
	leastBytes    = 64
	mostBytes     = 64 << 10
	mostSlow      = 0.9
	pushTurns     = 4
	pushLimit     = 30 * time.Second // for the last message, after the last was sent
	joinAtOnce    = 16
	reservedFiles = 200 // besides one for each client
)

func (o *PushOptions) check() error {
	var problems []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	refuse(o.Clients < 1 || o.Clients > maxListeners, "--clients: want 1 to %d", maxListeners)
	refuse(o.Slow < 0 || o.Slow > mostSlow, "--slow: want 0 to %g", mostSlow)
	refuse(o.slow() == o.Clients, "--slow: somebody must listen")
	refuse(o.Rate <= 0 || o.Rate > maxRate, "--rate: want more than 0, at most %d", maxRate)
	refuse(o.Bytes < leastBytes || o.Bytes > mostBytes, "--bytes: want %d to %d", leastBytes, mostBytes)
	refuse(o.Duration <= 0, "--duration: want more than nothing")
	return errors.Join(append(problems, enoughFiles(o.Clients))...)
}

// enoughFiles looks whether this process and its children may open so many connections.
// Go has raised the soft limit to the hard one already.
func enoughFiles(clients int) error {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	if want := uint64(clients) + reservedFiles; files.Max < want {
		return fmt.Errorf("--clients: %d need %d open files, and the limit is %d (ulimit -Hn)", clients, want, files.Max)
	}
	return nil
}

func (o *PushOptions) slow() int { return int(o.Slow * float64(o.Clients)) }

// perTurn is how many notifications go out in one of the turns.
func (o *PushOptions) perTurn() int64 {
	return max(1, int64(math.Ceil(o.Rate*o.Duration.Seconds()/pushTurns)))
}

func (o *PushOptions) interval() time.Duration { return time.Duration(float64(time.Second) / o.Rate) }

// Push measures what it costs dozor to send notifications to many WebSockets, beside a
// server on the library centrifuge that does the same. Both stand all the time and take
// turns, so that whatever else is at work on the machine meets both. With a report comes
// an error wrapping ErrInexact when dozor did not bring a notification to everyone who
// reads.
func Push(ctx context.Context, o PushOptions) (report PushReport, err error) {
	if err := o.check(); err != nil {
		return report, err
	}
	s, err := newStation(ctx, o.Settings)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	var runs []*pushRun
	defer func() {
		for _, r := range runs {
			r.crowd.leave()
		}
	}()
	begin := func(server *pushServer) error {
		r := &pushRun{pushServer: server, o: o}
		r.crowd = newCrowd(o)
		runs = append(runs, r)
		return r.prepare(ctx, s.log)
	}
	dozor, done, err := s.pushDozor(ctx)
	if err != nil {
		return report, err
	}
	defer done()
	if err := begin(dozor); err != nil {
		return report, err
	}
	if o.Peer != "" {
		peer, err := s.pushPeer(ctx, o.Peer)
		if err != nil {
			return report, err
		}
		if err := begin(peer); err != nil {
			return report, err
		}
	}
	for range pushTurns {
		for _, r := range runs {
			if err := r.turn(ctx); err != nil {
				return report, errors.Join(err, r.child.ended())
			}
		}
	}
	var did []pushed
	for _, r := range runs {
		p, err := r.sum()
		if err != nil {
			return report, err
		}
		did = append(did, p)
	}
	report = newPushReport(o, did[0], did[1:])
	return report, report.verdict()
}

// pushServer is a server under measurement.
type pushServer struct {
	name    string
	child   *child
	beside  []meter // what works for it, and is not counted
	join    func(ctx context.Context, slow bool) (*listener, error)
	publish func(ctx context.Context, data []byte) error
}

// pushRun is a server with its clients.
type pushRun struct {
	*pushServer
	o      PushOptions
	crowd  *crowd
	before int64 // bytes of its memory before the first client
	sent   int64 // number of the newest notification

	elapsed   time.Duration
	processes []ProcessUse
}

// prepare connects everyone and sends a little.
func (r *pushRun) prepare(ctx context.Context, log *slog.Logger) error {
	before, err := ofProcess(r.child.pid())
	if err != nil {
		return fmt.Errorf("measure %s: %w", r.name, err)
	}
	r.before = before.rss
	if err := r.crowd.join(ctx, r.pushServer); err != nil {
		return errors.Join(err, r.child.ended())
	}
	log.Info("clients are connected", "server", r.name, "clients", r.o.Clients, "slow", r.o.slow())
	if err := r.send(ctx, r.o.perTurn()); err != nil {
		return errors.Join(err, r.child.ended())
	}
	close(r.crowd.stopReading)
	return r.crowd.await(ctx, r.sent)
}

// turn is one of several times that the server is measured.
func (r *pushRun) turn(ctx context.Context) error {
	r.crowd.measure(r.sent)
	used, err := startMeters(append([]meter{r.child.meter()}, append(r.beside, processMeter("bench", os.Getpid()))...)...)
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := r.send(ctx, r.o.perTurn()); err != nil {
		return err
	}
	if err := r.crowd.await(ctx, r.sent); err != nil {
		return err
	}
	processes, err := used.stop()
	if err != nil {
		return err
	}
	for i := range r.processes {
		processes[i].CPU = round(processes[i].CPU+r.processes[i].CPU, 2)
	}
	r.processes = processes
	r.elapsed += r.crowd.lastArrival().Sub(begun)
	return nil
}

// send publishes so many notifications at an even beat.
func (r *pushRun) send(ctx context.Context, n int64) error {
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := range n {
		timer.Reset(time.Until(start.Add(time.Duration(i) * r.o.interval())))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		r.sent++
		if err := r.publish(ctx, numbered(r.sent, time.Now(), r.o.Bytes)); err != nil {
			return fmt.Errorf("publish to %s: %w", r.name, err)
		}
	}
	return nil
}

// sum looks at what came of it, once everyone has left.
func (r *pushRun) sum() (pushed, error) {
	after, err := ofProcess(r.child.pid())
	if err != nil {
		return pushed{}, fmt.Errorf("measure %s: %w", r.name, err)
	}
	r.crowd.leave()
	p := r.crowd.sum(r.sent)
	p.elapsed, p.grown, p.processes = r.elapsed, after.rss-r.before, r.processes
	return p, nil
}

// crowd is all listeners of a server. The first ones are slow.
type crowd struct {
	tally
	slow        int
	stopReading chan struct{} // closed: the slow ones do not read any more
	leaving     chan struct{} // closed: they look at what became of them
	listeners   []*listener
	ends        []error // of each, once it has ended
	hearing     sync.WaitGroup
	once        sync.Once
}

func newCrowd(o PushOptions) *crowd {
	c := &crowd{
		slow: o.slow(), stopReading: make(chan struct{}), leaving: make(chan struct{}),
		listeners: make([]*listener, o.Clients), ends: make([]error, o.Clients),
	}
	c.after.Store(math.MaxInt64)
	return c
}

func (c *crowd) join(ctx context.Context, p *pushServer) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(joinAtOnce)
	for i := range c.listeners {
		group.Go(func() error {
			isSlow := i < c.slow
			l, err := p.join(ctx, isSlow)
			if err != nil {
				return fmt.Errorf("client %d: %w", i+1, err)
			}
			c.listeners[i] = l
			if isSlow {
				c.hearing.Go(func() { c.ends[i] = l.hearUntil(c.stopReading, c.leaving) })
			} else {
				l.tally = &c.tally
				c.hearing.Go(func() { defer close(l.ended); c.ends[i] = l.hear() })
			}
			select {
			case <-l.joined:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(joinLimit):
				return fmt.Errorf("client %d: not a word within %v", i+1, joinLimit)
			}
		})
	}
	return group.Wait()
}

// await waits until every attentive listener that is still connected has the newest
// notification, or the limit has passed: what is missing then is lost.
func (c *crowd) await(ctx context.Context, newest int64) error {
	deadline := time.Now().Add(pushLimit)
	waiting := c.listeners[c.slow:]
	for len(waiting) > 0 && time.Now().Before(deadline) {
		if l := waiting[0]; l.newest.Load() >= newest || l.hasEnded() {
			waiting = waiting[1:]
			continue
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// leave lets the slow ones see what became of them, ends all connections and waits for
// their readers. Idempotent.
func (c *crowd) leave() {
	c.once.Do(func() {
		close(c.leaving)
		for i, l := range c.listeners {
			if l != nil && i >= c.slow {
				l.conn.Close()
			}
		}
		c.hearing.Wait()
		for _, l := range c.listeners {
			if l != nil {
				l.conn.Close()
			}
		}
	})
}

// pushed is what one server has done.
type pushed struct {
	messages  int64 // to the attentive
	elapsed   time.Duration
	latency   Latency
	lost      int
	doubled   int
	letGo     int   // of the slow
	grown     int64 // bytes, by which the server's memory has grown
	processes []ProcessUse
}

// sum looks at all listeners after they have left; newest is the last that was sent.
func (c *crowd) sum(newest int64) pushed {
	var p pushed
	var took []time.Duration
	for i, l := range c.listeners {
		if i < c.slow {
			if !errors.Is(c.ends[i], os.ErrDeadlineExceeded) {
				p.letGo++
			}
			continue
		}
		took = append(took, l.took...)
		p.lost += l.lost + int(newest-l.newest.Load())
		p.doubled += l.doubled
	}
	p.messages, p.latency = int64(len(took)), summarise(took)
	return p
}

// cpu is that of the server itself, in seconds.
func (p *pushed) cpu() float64 { return p.processes[0].CPU }

func (p *pushed) perSecond() float64 { return round(float64(p.messages)/p.elapsed.Seconds(), 0) }

func (p *pushed) perCPUSecond() float64 { return round(float64(p.messages)/p.cpu(), 0) }

func (p *pushed) kibPerClient(clients int) float64 {
	return round(float64(p.grown)/1024/float64(clients), 1)
}
