package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/auth"
	"dozor/internal/ids"
	"dozor/internal/pg"
	"dozor/internal/pgtemp"
	"dozor/internal/rabbittemp"
	"dozor/internal/redistemp"
	"dozor/internal/secret"
	"dozor/internal/site"
	"dozor/satel/sim"
)

// Databases of a private station.
const (
	stationDB  = "dozor"
	baselineDB = "baseline" // the same schema, for what PostgreSQL does alone
)

const (
	instance   = "bench"
	benchLogin = "bench"
	readyLimit = 60 * time.Second
)

// station is a whole dozor that belongs to one run: its database, its keys, its
// processes.
type station struct {
	dir      string
	keep     bool
	binary   string
	log      *slog.Logger
	server   *pgtemp.Server
	rabbit   *rabbittemp.Server // nil: not used
	redis    *redistemp.Server  // nil: not used
	keyFile  string
	keyring  *secret.Keyring
	password secret.Redacted

	pool     *pg.Pool // as the application
	owner    *pg.Pool
	children []*child

	environment []string // of every dozor, besides what it always needs
}

// newStation makes the database with its schema, the keyring and somebody who may sign
// in. Whatever it made before an error is gone with it.
func newStation(ctx context.Context, run Settings, databases ...string) (_ *station, err error) {
	s := &station{binary: run.Binary, keep: run.Keep, log: run.logger()}
	if s.binary == "" {
		if s.binary, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("find the program: %w", err)
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close(ctx))
		}
	}()
	if err := s.makeDir(run.Dir); err != nil {
		return nil, err
	}
	s.log.Info("making a private PostgreSQL", "dir", s.dir)
	s.server, err = pgtemp.Start(ctx, pgtemp.Config{Dir: filepath.Join(s.dir, "postgres")})
	if err != nil {
		return nil, err
	}
	for _, name := range append([]string{stationDB}, databases...) {
		if err := s.server.CreateDatabase(ctx, name, ""); err != nil {
			return nil, err
		}
		if _, err := pg.Migrate(ctx, s.server.OwnerURL(name), slog.New(slog.DiscardHandler)); err != nil {
			return nil, err
		}
	}
	if s.pool, err = pg.Open(ctx, s.server.AppURL(stationDB), pg.Options{MaxConns: 8, Name: instance}); err != nil {
		return nil, err
	}
	if s.owner, err = pg.Open(ctx, s.server.OwnerURL(stationDB), pg.Options{MaxConns: 2, Name: instance + "/owner"}); err != nil {
		return nil, err
	}
	if err := s.makeKeyring(); err != nil {
		return nil, err
	}
	return s, s.makeUser(ctx)
}

// makeDir makes the folder of the run, open to the user that PostgreSQL runs as.
func (s *station) makeDir(parent string) error {
	var err error
	if s.dir, err = os.MkdirTemp(parent, "dozor-bench-"); err != nil {
		return fmt.Errorf("make the folder of the run: %w", err)
	}
	if err := os.Chmod(s.dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of the run: %w", err)
	}
	return nil
}

func (s *station) makeKeyring() error {
	line := secret.GenerateKey()
	s.keyFile = filepath.Join(s.dir, "keyring")
	if err := os.WriteFile(s.keyFile, []byte(line+"\n"), 0o600); err != nil {
		return fmt.Errorf("make the keyring: %w", err)
	}
	var err error
	s.keyring, err = secret.ParseKeyring(line)
	return err
}

func (s *station) makeUser(ctx context.Context) error {
	s.password = secret.Redacted(rand.Text())
	people := auth.New(auth.Deps{Pool: s.pool, Keyring: s.keyring, Audit: audit.New(s.keyring, instance)})
	_, err := people.CreateUser(ctx, access.Station(instance), auth.NewUser{
		Login: benchLogin, Name: "Bench", Role: access.Operator, Password: s.password,
	})
	return err
}

// adding bounds how many panels are added at once.
const adding = 8

// addPanels makes a site with one panel for each address.
func (s *station) addPanels(ctx context.Context, addresses []address, enabled bool) ([]ids.PanelID, error) {
	sites := site.New(site.Deps{Pool: s.pool, Keyring: s.keyring, Audit: audit.New(s.keyring, instance)})
	by := access.Station(instance)
	panels := make([]ids.PanelID, len(addresses))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(adding)
	for i, at := range addresses {
		group.Go(func() error {
			id, err := sites.CreateSite(ctx, by, site.NewSite{
				Name: fmt.Sprintf("Site %d", i+1), Address: fmt.Sprintf("ul. Prosta %d", i+1), City: "Łódź",
			})
			if err != nil {
				return err
			}
			panels[i], err = sites.CreatePanel(ctx, by, site.NewPanel{
				SiteID: id, Name: fmt.Sprintf("Panel %d", i+1), Host: at.host, Port: at.port,
				Code: sim.DefaultCode, Enabled: enabled,
			})
			return err
		})
	}
	return panels, group.Wait()
}

// served is a running `dozor serve`.
type served struct {
	*child
	url     string
	metrics string
}

// serve starts dozor and waits until it says that it is ready.
func (s *station) serve(ctx context.Context, roles string, more ...string) (*served, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	at, health := net.JoinHostPort("127.0.0.1", ports[0]), net.JoinHostPort("127.0.0.1", ports[1])
	env := append([]string{
		"DATABASE_URL=" + s.server.AppURL(stationDB), "DOZOR_KEY_FILE=" + s.keyFile, "DOZOR_ROLES=" + roles,
		"DOZOR_LISTEN=" + at, "DOZOR_HEALTH_LISTEN=" + health, "DOZOR_INSTANCE=" + instance,
		"DOZOR_LOG_LEVEL=info", "DOZOR_LOG_FORMAT=text",
		"DOZOR_DESK_GRACE=0", // nobody sits before the bench's screens
	}, more...)
	env = append(env, s.environment...)
	c, err := startChild(s.binary, "dozor", s.dir, env, "serve")
	if err != nil {
		return nil, err
	}
	s.children = append(s.children, c)
	err = until(ctx, c, readyLimit, "dozor to be ready", func(ctx context.Context) error {
		_, err := fetch(ctx, "http://"+health+"/readyz")
		return err
	})
	if err != nil {
		return nil, err
	}
	s.log.Info("dozor is ready", "url", "http://"+at)
	return &served{child: c, url: "http://" + at, metrics: "http://" + health + "/metrics"}, nil
}

// panelTimes are the times of simulated panels.
type panelTimes struct{ logDelay, answerDelay, minGap time.Duration }

// simulate starts a simulator and waits until it answers.
func (s *station) simulate(ctx context.Context, panels int, times panelTimes) (*child, *simulator, error) {
	ports, err := freePorts(1)
	if err != nil {
		return nil, nil, err
	}
	control := net.JoinHostPort("127.0.0.1", ports[0])
	c, err := startChild(s.binary, "sim", s.dir, nil, "sim", "--listen=127.0.0.1:0", "--control="+control,
		fmt.Sprintf("--panels=%d", panels), "--log-delay="+times.logDelay.String(),
		"--answer-delay="+times.answerDelay.String(), "--min-gap="+times.minGap.String())
	if err != nil {
		return nil, nil, err
	}
	s.children = append(s.children, c)
	simulated := newSimulator("http://" + control)
	err = until(ctx, c, readyLimit, "the simulator", func(ctx context.Context) error {
		_, err := simulated.panels(ctx)
		return err
	})
	return c, simulated, err
}

func (s *station) postgresMeter() meter {
	pid := s.server.PID()
	return meter{"postgres", func() (usage, error) { return ofFamily(pid) }}
}

// settle writes out what PostgreSQL holds back, so that each measurement begins alike.
func (s *station) settle(ctx context.Context) error {
	if _, err := s.owner.Exec(ctx, "CHECKPOINT"); err != nil {
		return fmt.Errorf("checkpoint before measuring: %w", err)
	}
	return nil
}

// stop ends one child before its time.
func (s *station) stop(ctx context.Context, c *child) error {
	s.children = slices.DeleteFunc(s.children, func(other *child) bool { return other == c })
	return c.stop(ctx)
}

// close ends everything that the run started, the last one first, also when ctx has
// ended, and removes the folder unless it is to be kept.
func (s *station) close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var problems []error
	for _, c := range slices.Backward(s.children) {
		problems = append(problems, c.stop(ctx))
	}
	for _, pool := range []*pg.Pool{s.pool, s.owner} {
		if pool != nil {
			pool.Close()
		}
	}
	problems = append(problems, s.stopServers(ctx))
	if s.server != nil {
		bounded, cancel := context.WithTimeout(ctx, stopLimit)
		defer cancel()
		problems = append(problems, s.server.Stop(bounded))
	}
	switch {
	case s.dir == "":
	case s.keep:
		s.log.Info("kept the database and the logs", "dir", s.dir)
	default:
		problems = append(problems, s.remove())
	}
	return errors.Join(problems...)
}

func (s *station) remove() error {
	if s.server != nil {
		// It may lie elsewhere: PostgreSQL's user can't reach every folder.
		if err := os.RemoveAll(s.server.Dir()); err != nil {
			return fmt.Errorf("remove the private PostgreSQL: %w", err)
		}
	}
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("remove the folder of the run: %w", err)
	}
	return nil
}

// freePorts finds ports of the loopback that nobody has. Another process may take one
// before it is used; then the child says so and the run ends.
func freePorts(n int) ([]string, error) {
	ports := make([]string, 0, n)
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close() // all are held until the last is found, so that they differ
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// single is for pages that are asked for now and then: it keeps no connection.
var single = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// fetch gets a page that must be there.
func fetch(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", url, err)
	}
	response, err := single.Do(request)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", url, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", url, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: %s: %.200s", url, response.Status, body)
	}
	return body, nil
}
