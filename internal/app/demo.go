package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"dozor/internal/access"
	"dozor/internal/auth"
	"dozor/internal/config"
	"dozor/internal/demo"
	"dozor/internal/ids"
	"dozor/internal/lifecycle"
	"dozor/internal/pg"
	"dozor/internal/pgtemp"
	"dozor/internal/secret"
	"dozor/internal/site"
	"dozor/satel/sim"
)

// DemoFacts is what demo.json in the data directory says of a running demo.
type DemoFacts struct {
	URL         string     `json:"url"`
	Users       []DemoUser `json:"users"`
	SimControl  string     `json:"sim_control"`
	DatabaseURL string     `json:"database_url"`
	// DatabaseDir is where the cluster lies: not always in the data directory.
	DatabaseDir string `json:"database_dir"`
	HealthURL   string `json:"health_url"`
}

// DemoUser is somebody who may sign in to the demo.
type DemoUser struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	Name     string `json:"name"`
	Role     string `json:"role"`
}

// demoUsers are the same in every demo: their passwords guard nothing but invented data.
var demoUsers = []DemoUser{
	{Login: "nowak", Password: "dyzurny-demo", Name: "Anna Nowak", Role: "operator"},
	{Login: "kos", Password: "dyzurny-demo", Name: "Jan Kos", Role: "operator"},
	{Login: "lis", Password: "kierownik-demo", Name: "Maria Lis", Role: "supervisor"},
	{Login: "admin", Password: "administrator-demo", Name: "Administrator", Role: "admin"},
}

const (
	demoDatabase = "dozor"
	demoStop     = 15 * time.Second
)

// Demo runs a whole station with simulated sites until ctx ends, and keeps what happened
// in its data directory. out gets one short screen when everything answers.
func (p Program) Demo(ctx context.Context, cfg config.Demo, out io.Writer) (err error) {
	// What is taken is found out before anything begins.
	for _, a := range []struct {
		address config.Address
		flag    string
	}{{cfg.Listen, "--listen"}, {cfg.Control, "--control"}} {
		l, err := listen(ctx, a.address, a.flag)
		if err != nil {
			return err
		}
		if err := l.Close(); err != nil {
			return fmt.Errorf("try %s: %w", a.address, err)
		}
	}
	d := &demonstration{Program: p, cfg: cfg, out: out}
	if d.dir, err = filepath.Abs(cfg.Data); err != nil {
		return fmt.Errorf("find the data directory: %w", err)
	}
	if cfg.Reset {
		if err := d.reset(); err != nil {
			return err
		}
	}
	// Facts are of a demo that runs; those of one that was killed must not be taken for ours.
	if err := d.forget(); err != nil {
		return err
	}
	if err := d.prepare(ctx); err != nil {
		return err
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), demoStop)
		defer cancel()
		err = errors.Join(err, d.forget(), d.sim.Stop(stop), d.postgres.Stop(stop))
	}()
	return d.run(ctx)
}

type demonstration struct {
	Program
	cfg      config.Demo
	out      io.Writer
	dir      string
	sites    []demo.Site
	panels   []*sim.Panel
	postgres *pgtemp.Server
	sim      *sim.Server
}

func (d *demonstration) file(name string) string { return filepath.Join(d.dir, name) }

// reset removes what an earlier demo left.
func (d *demonstration) reset() error {
	if err := pgtemp.Remove(d.file("postgres")); err != nil {
		return fmt.Errorf("reset the demo: %w", err)
	}
	for _, name := range []string{"demo.json", "key", "postgres", "panels"} {
		if err := os.RemoveAll(d.file(name)); err != nil {
			return fmt.Errorf("reset the demo: %w", err)
		}
	}
	return nil
}

// forget removes the facts.
func (d *demonstration) forget() error {
	if err := os.Remove(d.file("demo.json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the facts of the last demo: %w", err)
	}
	return nil
}

// prepare starts the database and the simulated panels, and makes what is not there yet.
func (d *demonstration) prepare(ctx context.Context) (err error) {
	if err := os.MkdirAll(d.file("panels"), 0o755); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	if err := ensureKey(d.file("key")); err != nil {
		return err
	}
	if d.postgres, err = pgtemp.Start(ctx, pgtemp.Config{Dir: d.file("postgres"), Logger: d.Log}); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.postgres.Stop(context.WithoutCancel(ctx)))
		}
	}()
	if err := d.postgres.CreateDatabase(ctx, demoDatabase, ""); err != nil {
		return err
	}
	if _, err := pg.Migrate(ctx, d.postgres.OwnerURL(demoDatabase), d.Log); err != nil {
		return err
	}
	if err := d.startPanels(ctx); err != nil {
		return err
	}
	if err := d.fill(ctx); err != nil {
		return errors.Join(err, d.sim.Stop(context.WithoutCancel(ctx)))
	}
	return nil
}

func ensureKey(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the demo's key: %w", err)
	}
	_, err = fmt.Fprintln(file, secret.GenerateKey())
	return errors.Join(err, file.Close())
}

// startPanels starts one simulated panel a site; each keeps its event memory in a file,
// as a panel does in flash.
func (d *demonstration) startPanels(ctx context.Context) error {
	d.sites = demo.Sites(d.cfg.Sites)
	for i := range d.sites {
		panel, err := sim.New(sim.Config{Site: &d.sites[i].Panel, Seed: uint64(i), Journal: d.file(filepath.Join("panels", strconv.Itoa(i+1)+".log"))})
		if err != nil {
			return fmt.Errorf("simulate the panel of %s: %w", d.sites[i].Name, err)
		}
		d.panels = append(d.panels, panel)
	}
	server, err := sim.NewServer(sim.ServerConfig{Panels: d.panels, Listen: "127.0.0.1:0", Control: string(d.cfg.Control), Logger: d.Log})
	if err != nil {
		return err
	}
	if err := server.Start(ctx); err != nil {
		return fmt.Errorf("start the simulated panels: %w", err)
	}
	d.sim = server
	return nil
}

// fill makes users, sites and panels. Those of an earlier run stay; their panels answer
// on other ports now.
func (d *demonstration) fill(ctx context.Context) error {
	core, err := open(ctx, d.database(), d.file("key"), "demo", d.Program)
	if err != nil {
		return err
	}
	defer core.close()
	by := access.Station("demo")
	for _, u := range demoUsers {
		_, err := core.auth.CreateUser(ctx, by, auth.NewUser{Login: u.Login, Name: u.Name, Role: access.Role(u.Role), Password: secret.Redacted(u.Password)})
		if err != nil && !errors.Is(err, auth.ErrLoginTaken) {
			return fmt.Errorf("make the demo's user %s: %w", u.Login, err)
		}
	}
	present, _, err := core.sites.Panels(ctx, 0, maxDemoPanels)
	if err != nil {
		return err
	}
	known := map[string]ids.PanelID{}
	for _, p := range present {
		known[p.Site.Name] = p.ID
	}
	at := map[ids.PanelID]site.Address{}
	for i, s := range d.sites {
		host, port, err := splitAddress(d.sim.PanelAddr(i + 1))
		if err != nil {
			return err
		}
		panel, ok := known[s.Name]
		if !ok {
			if panel, err = d.create(ctx, core, s); err != nil {
				return err
			}
		}
		at[panel] = site.Address{Host: host, Port: port}
	}
	return core.sites.Readdress(ctx, by, at)
}

// maxDemoPanels is more than a demo can have.
const maxDemoPanels = 1000

func (d *demonstration) create(ctx context.Context, core *core, s demo.Site) (ids.PanelID, error) {
	by := access.Station("demo")
	id, err := core.sites.CreateSite(ctx, by, site.NewSite{
		Name: s.Name, Address: s.Address, City: s.City, District: s.District,
		Provider: s.Provider, Risk: s.Risk, Contract: s.Contract, Notes: s.Notes, Latitude: &s.Latitude, Longitude: &s.Longitude,
	})
	if err != nil {
		return 0, fmt.Errorf("make site %s: %w", s.Name, err)
	}
	for _, c := range s.Contacts {
		n := site.NewContact{Name: c.Name, Role: c.Role, Notes: c.Notes}
		for _, p := range c.Phones {
			n.Phones = append(n.Phones, site.Phone{Label: p.Label, Number: secret.Redacted(p.Number)})
		}
		if _, err := core.sites.AddContact(ctx, by, id, n); err != nil {
			return 0, fmt.Errorf("make the contacts of %s: %w", s.Name, err)
		}
	}
	panel, err := core.sites.CreatePanel(ctx, by, site.NewPanel{
		SiteID: id, Name: s.Panel.Name, Host: fmt.Sprintf("site-%d", id), Port: 1, // until it is known where the simulator answers
		Code: demo.Code,
	})
	if err != nil {
		return 0, fmt.Errorf("make the panel of %s: %w", s.Name, err)
	}
	return panel, nil
}

func splitAddress(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("address %q: %w", address, err)
	}
	if port, err = strconv.Atoi(text); err != nil {
		return "", 0, fmt.Errorf("address %q: %w", address, err)
	}
	return host, port, nil
}

func (d *demonstration) database() config.Database {
	return config.Database{URL: secret.Redacted(d.postgres.AppURL(demoDatabase))}
}

// run serves the station and lets the sites live.
func (d *demonstration) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	life := make(chan struct{})
	cfg := config.Serve{
		Database: d.database(), Roles: config.AllRoles, Listen: d.cfg.Listen, HealthListen: "localhost:0",
		KeyFile: d.file("key"), Instance: "demo", PollInterval: 250 * time.Millisecond, MaxPanels: d.cfg.Sites,
		DeskGrace: d.cfg.DeskGrace,
	}
	begun := false
	err := d.serve(ctx, cfg, func(where addresses) {
		begun = true
		if err := d.announce(where); err != nil {
			d.Log.Error("the demo's facts can't be written", "err", err)
		}
		go func() {
			defer close(life)
			if d.cfg.QuietScenario {
				return
			}
			scenario := demo.Scenario{Sites: d.sites, Panels: d.panels, Logger: d.Log, Seed: uint64(time.Now().UnixNano())}
			if err := lifecycle.Guard(scenario.Run)(ctx); err != nil {
				d.Log.Error("the scenario ended", "err", err)
			}
		}()
	})
	cancel()
	if begun {
		<-life
	}
	return err
}

// announce writes demo.json and says on one screen what there is and what to try.
func (d *demonstration) announce(where addresses) error {
	facts := DemoFacts{
		URL: where.url, Users: demoUsers, SimControl: d.sim.ControlURL(), DatabaseURL: d.postgres.AppURL(demoDatabase),
		DatabaseDir: d.postgres.Dir(), HealthURL: where.health,
	}
	raw, err := json.MarshalIndent(facts, "", "  ")
	if err != nil {
		return fmt.Errorf("write demo.json: %w", err)
	}
	temp := d.file("demo.json.new")
	if err := os.WriteFile(temp, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("write demo.json: %w", err)
	}
	if err := os.Rename(temp, d.file("demo.json")); err != nil {
		return fmt.Errorf("write demo.json: %w", err)
	}
	_, err = fmt.Fprintf(d.out, demoScreen, facts.URL, demoUsers[0].Login, demoUsers[0].Password, demoUsers[2].Login, demoUsers[2].Password,
		len(d.sites), facts.SimControl, d.dir, facts.SimControl, facts.SimControl, facts.SimControl)
	return err
}

const demoScreen = `
dozor demo

  console    %s
  operator   %s / %s
  supervisor %s / %s
  sites      %d simulated, control %s
  data       %s  (facts in demo.json)

  Try: sign in and wait for an alarm; Space claims the most urgent one, ? shows the keys.
  Hold-up at the jeweller:   curl -X POST %s/panels/1/zones/10/violate
  Cut the link of site 2:    curl -X POST %s/panels/2/link/drop     (…/link/restore)
  What panel 1 recorded:     curl %s/panels/1/events
  Kill this process with -9 in the middle and start it again: nothing is lost.

  Ctrl-C ends it; the next start goes on with its data, --reset begins anew.

`
