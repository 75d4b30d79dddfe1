package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// Options are those of the command that runs a simulator by itself. Zero values mean the standard, as in Config;
// negative delays mean none.
type Options struct {
	Listen      string // --listen: address of the first panel, 127.0.0.1:10004
	Panels      int    // --panels: how many, on consecutive ports; 1
	Model       string // --model
	Code        string // --code
	Control     string // --control: address of the control API, 127.0.0.1:10080
	LogDelay    time.Duration
	AnswerDelay time.Duration
	MinGap      time.Duration
	Seed        uint64
	// Encrypted makes every panel speak encrypted, with Key as integration key.
	Encrypted bool
	Key       string
	WrongKey  WrongKey
	Clients   ClientPolicy
	OldModule bool
	// Storm is how long a storm strikes once everything listens, drawn from Seed; 0 for none.
	Storm time.Duration
	// Journal is a folder that keeps the event memories of the panels, empty for none; see Config.Journal.
	Journal string

	Logger *slog.Logger
	// Started is called once everything listens; nil for nobody.
	Started func(*Server)
}

// Standard addresses of Run.
const (
	DefaultListen  = "127.0.0.1:10004"
	DefaultControl = "127.0.0.1:10080"
)

// stopLimit bounds how long Run waits for connections to end.
const stopLimit = 5 * time.Second

// Run serves simulated panels until the context ends, which is no error. When it cannot listen, the error names the
// address and the flag that chooses it.
func Run(ctx context.Context, o Options) error {
	if o.Listen == "" {
		o.Listen = DefaultListen
	}
	if o.Control == "" {
		o.Control = DefaultControl
	}
	if o.Panels == 0 {
		o.Panels = 1
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	panels, err := NewPanels(o.Panels, Config{
		Model: o.Model, Code: o.Code, LogDelay: o.LogDelay, AnswerDelay: o.AnswerDelay, MinGap: o.MinGap, Seed: o.Seed,
		Journal: o.Journal, Encrypted: o.Encrypted, Key: o.Key, WrongKey: o.WrongKey, Clients: o.Clients, OldModule: o.OldModule,
	})
	if err != nil {
		return err
	}
	return errors.Join(serveUntil(ctx, o, panels), closeAll(panels))
}

// serveUntil lets the panels answer until the context ends.
func serveUntil(ctx context.Context, o Options, panels []*Panel) error {
	server, err := NewServer(ServerConfig{Panels: panels, Listen: o.Listen, Control: o.Control, Logger: o.Logger})
	if err != nil {
		return err
	}
	if err := server.Start(ctx); err != nil {
		return explain(err)
	}
	o.Logger.Info("simulator started", "component", "sim", "panels", len(panels), "first", server.PanelAddr(1),
		"last", server.PanelAddr(len(panels)), "control", server.ControlURL())
	if o.Storm > 0 {
		if err := server.StartStorm(o.Seed, o.Storm); err != nil {
			return err
		}
		o.Logger.Info("storm started", "component", "sim", "seed", o.Seed, "for", o.Storm)
	}
	if o.Started != nil {
		o.Started(server)
	}
	<-ctx.Done()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	return server.Stop(stopping)
}

// NewPanels makes n panels of one configuration, each with a seed of its own. Journal, if any, is the folder in which each
// has its own.
func NewPanels(n int, cfg Config) ([]*Panel, error) {
	if n < 1 {
		return nil, fmt.Errorf("%w: %d panels", ErrInvalid, n)
	}
	if cfg.Journal != "" {
		if err := os.MkdirAll(cfg.Journal, 0o700); err != nil {
			return nil, fmt.Errorf("make the folder for journals: %w", err)
		}
	}
	panels := make([]*Panel, 0, n)
	for i := range n {
		own := cfg
		own.Seed += uint64(i)
		if cfg.Journal != "" {
			own.Journal = filepath.Join(cfg.Journal, fmt.Sprintf("panel-%04d.journal", i+1))
		}
		p, err := New(own)
		if err != nil {
			return nil, errors.Join(err, closeAll(panels))
		}
		panels = append(panels, p)
	}
	return panels, nil
}

func closeAll(panels []*Panel) error {
	var problems []error
	for _, p := range panels {
		problems = append(problems, p.Close())
	}
	return errors.Join(problems...)
}

// explain adds to the error of an address the flag that chooses it.
func explain(err error) error {
	var address *AddressError
	if !errors.As(err, &address) {
		return err
	}
	flag := "--listen"
	if address.What == "control API" {
		flag = "--control"
	}
	return fmt.Errorf("cannot listen: %w; choose another address with %s", err, flag)
}
