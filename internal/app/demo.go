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
	"slices"
	"strconv"
	"time"

	"dozor/internal/access"
	"dozor/internal/auth"
	"dozor/internal/config"
	"dozor/internal/demo"
	"dozor/internal/ids"
	"dozor/internal/pg"
	"dozor/internal/pgtemp"
	"dozor/internal/rabbittemp"
	"dozor/internal/redistemp"
	"dozor/internal/secret"
	"dozor/internal/site"
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

	// Of a full demo alone. URL and HealthURL are those of the first API there.
	Room      string        `json:"room,omitempty"`
	AMQPURL   string        `json:"amqp_url,omitempty"`
	RedisURL  string        `json:"redis_url,omitempty"`
	Processes []DemoProcess `json:"processes,omitempty"`
}

// DemoProcess is a process of a full demo.
type DemoProcess struct {
	Name      string `json:"name"`
	URL       string `json:"url,omitempty"`
	HealthURL string `json:"health_url,omitempty"`
	Log       string `json:"log"`
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
	demoPoll     = 250 * time.Millisecond
)

// Demo runs a whole station with simulated sites until ctx ends, and keeps what happened
// in its data directory. out gets one short screen when everything answers.
func (p Program) Demo(ctx context.Context, cfg config.Demo, out io.Writer) (err error) {
	d := &demonstration{Program: p, cfg: cfg, out: out}
	if err := d.tryAddresses(ctx); err != nil {
		return err
	}
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
	defer func() { err = errors.Join(err, d.forget(), d.end()) }()
	if err := d.prepare(ctx); err != nil {
		return err
	}
	if cfg.Full {
		return d.runFull(ctx)
	}
	return d.run(ctx)
}

// tryAddresses finds out what is taken before anything begins.
func (d *demonstration) tryAddresses(ctx context.Context) error {
	type wish struct {
		address config.Address
		flag    string
	}
	wishes := []wish{{d.cfg.Listen, "--listen"}, {d.cfg.Control, "--control"}}
	if d.cfg.Full {
		wishes = append(wishes, wish{d.cfg.Room, "--room"})
	}
	for _, w := range wishes {
		l, err := listen(ctx, w.address, w.flag)
		if err != nil {
			return err
		}
		if err := l.Close(); err != nil {
			return fmt.Errorf("try %s: %w", w.address, err)
		}
	}
	return nil
}

type demonstration struct {
	Program
	cfg      config.Demo
	out      io.Writer
	dir      string
	postgres *pgtemp.Server
	endings  []func(context.Context) error
}

func (d *demonstration) file(name string) string { return filepath.Join(d.dir, name) }

// atEnd has something ended with the demo, before what was begun earlier.
func (d *demonstration) atEnd(end func(context.Context) error) { d.endings = append(d.endings, end) }

// end ends what was begun, the last first, each in a time of its own.
func (d *demonstration) end() error {
	var errs []error
	for _, end := range slices.Backward(d.endings) {
		ctx, cancel := context.WithTimeout(context.Background(), demoStop)
		errs = append(errs, end(ctx))
		cancel()
	}
	return errors.Join(errs...)
}

// reset removes what an earlier demo left.
func (d *demonstration) reset() error {
	for name, remove := range map[string]func(string) error{"postgres": pgtemp.Remove, "rabbitmq": rabbittemp.Remove, "redis": redistemp.Remove} {
		if err := remove(d.file(name)); err != nil {
			return fmt.Errorf("reset the demo: %w", err)
		}
	}
	for _, name := range []string{"demo.json", "key", "postgres", "rabbitmq", "redis", "panels", "logs"} {
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

// prepare makes the key and the database, and starts that.
func (d *demonstration) prepare(ctx context.Context) (err error) {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	if err := ensureKey(d.file("key")); err != nil {
		return err
	}
	settings := map[string]string{}
	if d.cfg.Full {
		settings["max_connections"] = strconv.Itoa(fullConnections)
	}
	if d.postgres, err = pgtemp.Start(ctx, pgtemp.Config{Dir: d.file("postgres"), Settings: settings}); err != nil {
		return err
	}
	d.atEnd(d.postgres.Stop)
	if err := d.postgres.CreateDatabase(ctx, demoDatabase, ""); err != nil {
		return err
	}
	_, err = pg.Migrate(ctx, d.postgres.OwnerURL(demoDatabase), d.Log)
	return err
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

// fill makes users, sites and panels. Those of an earlier run stay; their panels answer
// on other ports now: address gives that of a panel by its number, from 1.
func (d *demonstration) fill(ctx context.Context, users []DemoUser, address func(number int) string) error {
	core, err := open(ctx, d.database(), config.Servers{}, d.file("key"), process{name: "demo"}, d.Program)
	if err != nil {
		return err
	}
	defer core.close()
	by := access.Station("demo")
	for _, u := range users {
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
	for i, s := range demo.Sites(d.cfg.Sites) {
		host, port, err := splitAddress(address(i + 1))
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
		Code: demo.Code, Key: secret.Redacted(s.Key),
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

// run serves the station in this process and lets the sites live.
func (d *demonstration) run(ctx context.Context) error {
	town, err := d.openTown(ctx, config.DemoSites{
		Database: d.database(), KeyFile: d.file("key"), Listen: "127.0.0.1:0", Control: d.cfg.Control, Sites: d.cfg.Sites, Journals: d.file("panels"),
	})
	if err != nil {
		return err
	}
	d.atEnd(town.close)
	if err := d.fill(ctx, demoUsers, town.server.PanelAddr); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	life := make(chan struct{})
	cfg := config.Serve{
		Database: d.database(), Roles: config.AllRoles, Listen: d.cfg.Listen, HealthListen: "localhost:0",
		KeyFile: d.file("key"), Instance: "demo", PollInterval: demoPoll, Subscribe: true, MaxPanels: d.cfg.Sites,
		DeskGrace: d.cfg.DeskGrace,
	}
	begun := false
	err = d.serve(ctx, cfg, func(where addresses) {
		begun = true
		facts := d.facts(where.url, where.health, town.server.ControlURL())
		if err := d.announce(facts, ""); err != nil {
			d.Log.Error("the demo's facts can't be written", "err", err)
		}
		go func() {
			defer close(life)
			if !d.cfg.QuietScenario {
				town.live(ctx)
			}
		}()
	})
	cancel()
	if begun {
		<-life
	}
	return err
}

func (d *demonstration) facts(url, health, control string) DemoFacts {
	return DemoFacts{
		URL: url, Users: demoUsers, SimControl: control, DatabaseURL: d.postgres.AppURL(demoDatabase),
		DatabaseDir: d.postgres.Dir(), HealthURL: health,
	}
}

// announce writes demo.json and says on one screen what there is and what to try; more is
// put between the two.
func (d *demonstration) announce(facts DemoFacts, more string) error {
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
		demoUsers[3].Login, demoUsers[3].Password, d.cfg.Sites, facts.SimControl, d.dir, more,
		facts.SimControl, facts.SimControl, facts.SimControl, facts.SimControl)
	return err
}

const demoScreen = `
dozor demo

  console    %s
  operator   %s / %s
  supervisor %s / %s
  admin      %s / %s
  sites      %d simulated, control %s
  data       %s  (facts in demo.json)
%s
  Try: sign in and wait for an alarm; Space claims the most urgent one, ? shows the keys.
  Hold-up at the jeweller:   curl -X POST %s/panels/1/zones/10/violate
  Cut the link of site 2:    curl -X POST %s/panels/2/link/drop     (…/link/restore)
  What panel 1 recorded:     curl %s/panels/1/events
  An event nobody can read:  curl -X POST %s/panels/3/unreadable    (an administrator finds it with G D)
  Kill this process with -9 in the middle and start it again: nothing is lost.

  Ctrl-C ends it; the next start goes on with its data, --reset begins anew.

`
