package installer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"dozor/internal/secret"
	"dozor/satel"
	"dozor/satel/client"
)

const dialTime = 5 * time.Second

// Target says how to reach a panel.
type Target struct {
	Address string // host:port
	// Encrypted tells that the module encrypts; Key is its integration key then, which may be empty.
	Encrypted bool
	Key       secret.Redacted
}

// Panel is a connection to a panel that has said what it is.
type Panel struct {
	conn    *client.Conn
	target  Target
	version satel.PanelVersion
	model   satel.Model
	module  *satel.ModuleVersion
	clock   satel.Clock
	offset  time.Duration // the panel's clock minus ours
}

// Open connects and asks what is there. The panel's clock is taken to be in loc. Frames that answer nothing go to news,
// which may be nil. The caller must Close the panel.
func Open(ctx context.Context, t Target, loc *time.Location, news func(satel.Frame)) (*Panel, error) {
	cfg := client.Config{Address: t.Address, OnNews: news}
	if t.Encrypted {
		cipher, err := satel.NewCipher(t.Key.Reveal())
		if err != nil {
			return nil, err
		}
		cfg.Cipher = cipher
	}
	dial, stop := context.WithTimeout(ctx, dialTime)
	conn, err := client.Dial(dial, cfg)
	stop()
	if err != nil {
		return nil, t.explain(err, 0)
	}
	p := &Panel{conn: conn, target: t}
	if err := p.introduce(ctx, loc); err != nil {
		conn.Close()
		return nil, p.explain(err)
	}
	return p, nil
}

// Close ends the connection in order, so that the module takes the next client at once.
func (p *Panel) Close() { p.conn.Close() }

func (p *Panel) introduce(ctx context.Context, loc *time.Location) error {
	asked := time.Now()
	clock, at, err := p.conn.Clock(ctx)
	if err != nil {
		return err
	}
	// The panel shows whole seconds: half of one is what is missing on average.
	p.clock = clock
	p.offset = clock.Time(loc).Add(500 * time.Millisecond).Sub(asked.Add(at.Sub(asked) / 2))
	if p.version, err = p.conn.PanelVersion(ctx); err != nil {
		return err
	}
	p.model, _ = satel.ModelByCode(p.version.Type)
	module, err := p.conn.ModuleVersion(ctx)
	switch {
	case err == nil:
		p.module = &module
		p.model, _ = satel.ModelFor(p.version.Type, module)
	case !open(ctx, err):
		return err
	}
	return nil
}

// wide tells whether lists come in the form for 256 numbers.
func (p *Panel) wide() bool { return p.module != nil && p.module.Wide && p.model.Wide() }

// open tells whether an error left a question open and nothing worse: old modules do not know every command.
func open(ctx context.Context, err error) bool {
	return errors.Is(err, client.ErrTimeout) && !client.IsLost(err) && ctx.Err() == nil
}

// explain returns an error that says what to look at.
func (p *Panel) explain(err error) error {
	d := p.conn.Stats().Decoder
	return p.target.explain(err, d.Skipped+d.Dropped())
}

// explain is told how much was received that is no frame.
func (t Target) explain(err error, strange uint64) error {
	var refusal *client.Refusal
	var network net.Error
	switch {
	case errors.As(err, &refusal):
		if refusal.Result == satel.ResultCodeNotFound || refusal.Result == satel.ResultCodeWrongOrTaken {
			return errors.New(`the panel refuses the code: it knows none like it, or its user lacks the right "GUARDX use"`)
		}
		return fmt.Errorf("the panel refuses: %s", refusal.Result)
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, client.ErrBusy):
		return fmt.Errorf("the module at %s is taken: another program, or a connection it has not yet given up, holds its only place", t.Address)
	case errors.Is(err, client.ErrKey):
		return fmt.Errorf("what is at %s does not answer under this key: wrong key, a module that does not encrypt, or no panel at all", t.Address)
	case errors.Is(err, client.ErrNoAnswer) && strange > 0, errors.Is(err, satel.ErrLength), errors.Is(err, satel.ErrValue):
		return fmt.Errorf("what answers at %s is no panel's integration: another service, or a module that encrypts", t.Address)
	case errors.Is(err, client.ErrNoAnswer):
		return fmt.Errorf("what is at %s does not answer: integration is off, the module encrypts and wants a key, or it is no panel at all", t.Address)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens at %s: connection refused", t.Address)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("no connection to %s: no answer in time", t.Address)
	case client.IsLost(err):
		return fmt.Errorf("the module at %s has hung up", t.Address)
	case errors.As(err, &network):
		return fmt.Errorf("no connection to %s: %w", t.Address, network)
	default:
		return err
	}
}
