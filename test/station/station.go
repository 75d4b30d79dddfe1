package station

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
)

// Options of a station.
type Options struct {
	// Panels is how many simulated panels there are; 1.
	Panels int
	// Sim are further arguments of dozor sim.
	Sim []string
	// Key is the integration key under which all panels speak; empty where they speak plainly.
	Key string
	// OwnPostgres gives the station a cluster of its own, to be killed.
	OwnPostgres bool
	// Rabbit and Redis give the station those servers, its own, to be killed.
	Rabbit, Redis bool
}

// Station is PostgreSQL, a simulator, and whatever instances of dozor the test starts.
type Station struct {
	T        testing.TB
	Dir      string
	Sim      *Simulator
	Postgres *pgtemp.Server
	Rabbit   *rabbittemp.Server // nil unless asked for
	Redis    *redistemp.Server  // nil unless asked for
	// DB is the way of the tests to the database: as its owner.
	DB *pg.Pool
	// Panels are those known to dozor, in the order in which they were added.
	Panels []Panel

	database  string
	key       string
	wrapped   map[int]bool // panels whose memory has come round, by number
	keyFile   string
	auth      *auth.Auth
	sites     *site.Sites
	processes []*Process
}

// Panel is a panel that dozor knows: which of the simulated ones, and as what.
type Panel struct {
	Number int // of the simulator, from 1
	ID     ids.PanelID
	SiteID ids.SiteID
}

// PanelCode is the user code of every simulated panel.
const PanelCode = "1234"

// Who signs in.
const (
	login    = "dyzurna"
	password = "noc-jest-dluga"
)

var databases atomic.Int64

// New makes a station without any dozor yet.
func New(t testing.TB, o Options) *Station {
	t.Helper()
	Binary(t) // outside of the time that anything below may take
	if o.Panels == 0 {
		o.Panels = 1
	}
	unsafe := regexp.MustCompile(`\W+`)
	dir, err := os.MkdirTemp("", "dozor-"+unsafe.ReplaceAllString(t.Name(), "-")+"-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	s := &Station{T: t, Dir: dir, key: o.Key, wrapped: map[int]bool{}, database: fmt.Sprintf("station_%d", databases.Add(1)), keyFile: filepath.Join(dir, "key")}
	t.Cleanup(s.tellOrRemove)
	t.Cleanup(s.stop)

	if o.OwnPostgres {
		s.Postgres, err = startPostgres(filepath.Join(dir, "postgres"))
		require.NoError(t, err)
	} else {
		s.Postgres = sharedPostgres(t)
	}
	s.prepare()
	if o.OwnPostgres {
		t.Cleanup(func() { require.NoError(t, s.Postgres.Stop(context.Background())) })
	} else {
		t.Cleanup(s.dropDatabase)
	}
	t.Cleanup(s.DB.Close)
	s.startServers(o)
	t.Cleanup(s.stop)
	s.Sim = startSimulator(t, dir, o.Panels, append(slices.Clone(o.Sim), "--key="+o.Key)...)
	s.processes = append(s.processes, s.Sim.Process)
	return s
}

// startServers starts those that a station can do without.
func (s *Station) startServers(o Options) {
	t := s.T
	t.Helper()
	// Not within the time of the test: they outlive its end by their stop.
	ctx := context.Background()
	var err error
	if o.Rabbit {
		s.Rabbit, err = rabbittemp.Start(ctx, rabbittemp.Config{Dir: filepath.Join(s.Dir, "rabbitmq")})
		require.NoError(t, err)
		t.Cleanup(s.Rabbit.Kill)
	}
	if o.Redis {
		s.Redis, err = redistemp.Start(ctx, redistemp.Config{Dir: filepath.Join(s.Dir, "redis"), TCP: true})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Redis.Kill(context.Background())) })
	}
}

// prepare makes the database, its schema, the keyring and the user.
func (s *Station) prepare() {
	t, ctx := s.T, context.Background()
	t.Helper()
	require.NoError(t, s.Postgres.CreateDatabase(ctx, s.database, ""))
	_, err := pg.Migrate(ctx, s.Postgres.OwnerURL(s.database), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(s.keyFile, []byte(secret.GenerateKey()+"\n"), 0o600))
	s.DB, err = pg.Open(ctx, s.Postgres.OwnerURL(s.database), pg.Options{MaxConns: 6, Name: "test"})
	require.NoError(t, err)

	keyring, err := secret.LoadKeyring(s.keyFile)
	require.NoError(t, err)
	log := audit.New(keyring, "test")
	s.auth = auth.New(auth.Deps{Pool: s.DB, Keyring: keyring, Audit: log})
	s.sites = site.New(site.Deps{Pool: s.DB, Keyring: keyring, Audit: log})
	_, err = s.auth.CreateUser(ctx, access.Station("test"), auth.NewUser{
		Login: login, Name: "Danuta Dyżurna", Role: access.Supervisor, Password: password,
	})
	require.NoError(t, err)
}

// AddPanel makes a site with one of the simulated panels, by its number. code is what dozor believes that its code is.
func (s *Station) AddPanel(number int, code string) Panel {
	s.T.Helper()
	ctx := context.Background()
	host, port, err := net.SplitHostPort(s.Sim.Panel(number).Address)
	require.NoError(s.T, err)
	n, err := strconv.Atoi(port)
	require.NoError(s.T, err)
	by := access.Station("test")
	siteID, err := s.sites.CreateSite(ctx, by, site.NewSite{Name: fmt.Sprintf("Obiekt %d", number), City: "Lublin"})
	require.NoError(s.T, err)
	id, err := s.sites.CreatePanel(ctx, by, site.NewPanel{
		SiteID: siteID, Name: fmt.Sprintf("Centrala %d", number), Host: host, Port: n, Code: secret.Redacted(code), Key: secret.Redacted(s.key), Enabled: true,
	})
	require.NoError(s.T, err)
	p := Panel{Number: number, ID: id, SiteID: siteID}
	s.Panels = append(s.Panels, p)
	return p
}

// AddPanels adds the first n simulated panels, with their right code.
func (s *Station) AddPanels(n int) {
	s.T.Helper()
	for number := range n {
		s.AddPanel(number+1, PanelCode)
	}
}

// Exec runs a statement as the owner, for the arrangement of a test.
func (s *Station) Exec(sql string, args ...any) {
	s.T.Helper()
	_, err := s.DB.Exec(context.Background(), sql, args...)
	require.NoError(s.T, err)
}

// One reads one value.
func One[T any](s *Station, sql string, args ...any) T {
	s.T.Helper()
	var v T
	require.NoError(s.T, s.DB.QueryRow(context.Background(), sql, args...).Scan(&v))
	return v
}

// Is asks a question with the answer true or false; a database that can't answer now counts as false.
func (s *Station) Is(sql string, args ...any) bool {
	var yes bool
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return s.DB.QueryRow(ctx, sql, args...).Scan(&yes) == nil && yes
}

// Eventually waits until the database answers yes.
func (s *Station) Eventually(within time.Duration, what, sql string, args ...any) {
	s.T.Helper()
	require.Eventually(s.T, func() bool { return s.Is(sql, args...) }, within, 20*time.Millisecond, what)
}

// Connected waits until dozor shows every panel's link as up.
func (s *Station) Connected(within time.Duration) {
	s.T.Helper()
	s.Eventually(within, "every panel is connected", `
		SELECT count(*) = $1 FROM panel_states s JOIN leases l USING (panel_id)
		WHERE s.body->>'link' = 'up' AND s.fence = l.fence AND l.expires_at > dozor_now()`, len(s.Panels))
}

func (s *Station) dropDatabase() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	owner, err := pg.Open(ctx, s.Postgres.OwnerURL("postgres"), pg.Options{MaxConns: 1})
	require.NoError(s.T, err)
	defer owner.Close()
	_, err = owner.Exec(ctx, "DROP DATABASE IF EXISTS "+s.database+" WITH (FORCE)")
	require.NoError(s.T, err)
}

// stop ends every process, the instances of dozor before the simulator. It may be called twice.
func (s *Station) stop() {
	processes := s.processes
	s.processes = nil
	for i := range processes {
		processes[len(processes)-1-i].end()
	}
	s.keep(processes)
}

// keep prints the logs when the test has failed.
func (s *Station) keep(processes []*Process) {
	if !s.T.Failed() {
		return
	}
	for _, p := range processes {
		s.T.Logf("the end of %s:\n%s", p.log, p.tail())
	}
}

// tellOrRemove is the last thing that a station does.
func (s *Station) tellOrRemove() {
	if s.T.Failed() {
		s.T.Logf("logs are kept in %s", s.Dir)
		return
	}
	require.NoError(s.T, os.RemoveAll(s.Dir))
}
