package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"dozor/internal/config"
	"dozor/internal/demo"
	"dozor/internal/lifecycle"
	"dozor/satel/sim"
)

// town is the demo's sites: simulated panels that answer over TCP, and the life there.
type town struct {
	Program
	cfg    config.DemoSites
	sites  []demo.Site
	panels []*sim.Panel
	server *sim.Server
}

// openTown starts one simulated panel a site; each keeps its event memory in a file, as a
// panel does in flash.
func (p Program) openTown(ctx context.Context, cfg config.DemoSites) (*town, error) {
	if err := os.MkdirAll(cfg.Journals, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of the panels' memories: %w", err)
	}
	t := &town{Program: p, cfg: cfg, sites: demo.Sites(cfg.Sites)}
	for i := range t.sites {
		at := &t.sites[i]
		panel, err := sim.New(sim.Config{
			Site: &at.Panel, Encrypted: at.Key != "", Key: at.Key, Seed: uint64(i), Journal: filepath.Join(cfg.Journals, strconv.Itoa(i+1)+".log"),
		})
		if err != nil {
			return nil, fmt.Errorf("simulate the panel of %s: %w", at.Name, err)
		}
		t.panels = append(t.panels, panel)
	}
	var err error
	t.server, err = sim.NewServer(sim.ServerConfig{
		Panels: t.panels, Listen: string(cfg.Listen), Control: string(cfg.Control), Logger: p.Log,
		Routes: map[string]http.Handler{"POST /panels/{n}/unreadable": http.HandlerFunc(t.unreadable)},
	})
	if err != nil {
		return nil, err
	}
	if err := t.server.Start(ctx); err != nil {
		return nil, fmt.Errorf("start the simulated panels: %w", err)
	}
	return t, nil
}

// live lets things happen at the sites until ctx ends.
func (t *town) live(ctx context.Context) {
	scenario := demo.Scenario{Sites: t.sites, Panels: t.panels, Logger: t.Log, Seed: uint64(time.Now().UnixNano())}
	if err := lifecycle.Guard(scenario.Run)(ctx); err != nil {
		t.Log.Error("the scenario ended", "err", err)
	}
}

// close ends all connections to the panels, whose memories are kept.
func (t *town) close(ctx context.Context) error {
	errs := []error{t.server.Stop(ctx)}
	for _, p := range t.panels {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// DemoSites runs the demo's sites alone, for a demo of several processes, until ctx ends.
func (p Program) DemoSites(ctx context.Context, cfg config.DemoSites) error {
	t, err := p.openTown(ctx, cfg)
	if err != nil {
		return err
	}
	p.Log.Info("the sites are there", "control", t.server.ControlURL())
	if cfg.QuietScenario {
		<-ctx.Done()
	} else {
		t.live(ctx)
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), demoStop)
	defer cancel()
	return t.close(stop)
}
