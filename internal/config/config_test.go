package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"

	"dozor/internal/config"
	"dozor/internal/obs"
)

const (
	goodURL = "postgres://dozor:s3cret-word@db1:5432,db2:5432/dozor?target_session_attrs=read-write"
	ownURL  = "postgres://owner:other-word@db1/dozor"
)

type grammar struct {
	Serve   config.Serve        `cmd:""`
	Demo    config.Demo         `cmd:""`
	Sim     config.Sim          `cmd:""`
	Migrate config.Migrate      `cmd:""`
	Create  config.UserCreate   `cmd:""`
	Key     config.KeyInit      `cmd:""`
	Reset   config.StreamReset  `cmd:""`
	Word    config.UserPassword `cmd:""`
}

// forget takes every variable that could come from outside away.
func forget(t *testing.T) {
	t.Helper()
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "DOZOR_") || strings.HasPrefix(name, "DATABASE_") {
			t.Setenv(name, "")
		}
	}
}

func parse(t *testing.T, args ...string) (grammar, error) {
	t.Helper()
	var g grammar
	_, err := config.Parse(&g, args, kong.Name("dozor"))
	return g, err
}

// problems are the lines of the error, by what each is about.
func problems(t *testing.T, err error) map[string]string {
	t.Helper()
	e, ok := errors.AsType[*config.Error](err)
	require.True(t, ok, "%v", err)
	found := map[string]string{}
	for _, line := range e.Problems {
		name, what, _ := strings.Cut(line, ": ")
		name, _, _ = strings.Cut(name, " ")
		require.NotContains(t, found, name, "named twice")
		found[name] = what
	}
	return found
}

func keyFile(t *testing.T) string { return file(t, "not looked into here") }

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestServeFromFlagsVariablesFilesAndDefaults(t *testing.T) {
	forget(t)
	key := keyFile(t)
	t.Setenv("DATABASE_URL_FILE", file(t, goodURL+"\n"))
	t.Setenv("DATABASE_OWNER_URL", ownURL)
	t.Setenv("DOZOR_KEY_FILE", key)
	t.Setenv("DOZOR_ROLES", "relay, api")
	t.Setenv("DOZOR_POLL_INTERVAL", "1s")
	t.Setenv("DOZOR_LISTEN", "")
	t.Setenv("DOZOR_LOG_LEVEL", "debug")
	g, err := parse(t, "serve", "--poll-interval=500ms", "--log-format", "text")
	require.NoError(t, err)
	s := g.Serve
	require.Equal(t, goodURL, s.Database.URL.Reveal(), "the line break of the file is gone")
	require.Equal(t, goodURL, s.Database.DirectURL().Reveal())
	require.False(t, s.Database.Pooled())
	require.Equal(t, ownURL, s.Owner.Reveal())
	require.Equal(t, key, s.KeyFile)
	require.Equal(t, config.Roles{config.Relay, config.API}, s.Roles)
	require.False(t, s.Roles.Has(config.Worker))
	require.Equal(t, 500*time.Millisecond, s.PollInterval, "a flag wins over its variable")
	require.Equal(t, config.Address("localhost:8080"), s.Listen, "an empty variable is as good as none")
	require.Equal(t, config.Log{Level: slog.LevelDebug, Format: obs.Text}, s.Log)
	require.Equal(t, 1000, s.MaxPanels)
}

func TestADirectURLMeansAPooler(t *testing.T) {
	forget(t)
	t.Setenv("DATABASE_URL", goodURL)
	t.Setenv("DATABASE_DIRECT_URL", ownURL)
	g, err := parse(t, "reset")
	require.NoError(t, err)
	require.True(t, g.Reset.Database.Pooled())
	require.Equal(t, ownURL, g.Reset.Database.DirectURL().Reveal())
}

func TestEveryProblemIsNamedAtOnceAndNoSecretIsShown(t *testing.T) {
	forget(t)
	t.Setenv("DATABASE_URL", "mysql://dozor:s3cret-word@db/x")
	t.Setenv("DATABASE_DIRECT_URL_FILE", "/nowhere/direct")
	t.Setenv("DATABASE_OWNER_URL", "postgres://o:s3cret-word@db:port/x")
	t.Setenv("DOZOR_ROLES", "worker,cook,api,butler")
	t.Setenv("DOZOR_KEY_FILE", "/nowhere/key")
	t.Setenv("DOZOR_LISTEN", "8080")
	t.Setenv("DOZOR_MAX_PANELS", "many")
	t.Setenv("DOZOR_LOG_FORMAT", "xml")
	_, err := parse(t, "serve", "--poll-interval", "fast", "--log-level=loud")
	found := problems(t, err)
	for name, part := range map[string]string{
		"DATABASE_URL":             "no database URL: want postgres://",
		"DATABASE_DIRECT_URL_FILE": "open /nowhere/direct: no such file",
		"DATABASE_OWNER_URL":       "no URL: want postgres://",
		"DOZOR_ROLES":              `there is no role "cook", "butler"`,
		"DOZOR_KEY_FILE":           "open /nowhere/key: no such file",
		"DOZOR_LISTEN":             `"8080" is no address`,
		"DOZOR_MAX_PANELS":         `"many" is no number`,
		"DOZOR_LOG_FORMAT":         `"xml" is no log format`,
		"DOZOR_POLL_INTERVAL":      `"fast" is no time`,
		"DOZOR_LOG_LEVEL":          `"loud" is no level`,
	} {
		require.Contains(t, found[name], part, name)
		delete(found, name)
	}
	require.Empty(t, found)
	require.NotContains(t, err.Error(), "s3cret")
}

func TestWhatIsMissingIsNamedByItsVariable(t *testing.T) {
	forget(t)
	_, err := parse(t, "serve")
	found := problems(t, err)
	require.Len(t, found, 2)
	require.Contains(t, found["DATABASE_URL"], "missing: set it, or name a file in DATABASE_URL_FILE")
	require.Contains(t, found["DOZOR_KEY_FILE"], "dozor key init")
	_, err = parse(t, "migrate")
	require.Contains(t, problems(t, err)["DATABASE_OWNER_URL"], "missing")
}

func TestSecretsAreRefusedWhereOthersSeeThemOrTheyAreUnforget(t *testing.T) {
	forget(t)
	t.Setenv("DOZOR_KEY_FILE", keyFile(t))
	for name, c := range map[string]struct {
		env  map[string]string
		args []string
		want string
	}{
		"on the command line": {nil, []string{"--database-url", goodURL}, "not on the command line"},
		"on the command line, although set too": {
			map[string]string{"DATABASE_URL": goodURL},
			[]string{"--database-url=" + goodURL},
			"not on the command line",
		},
		"variable and file": {map[string]string{"DATABASE_URL": goodURL, "DATABASE_URL_FILE": "FILE"}, nil, "which one counts?"},
		"no such file":      {map[string]string{"DATABASE_URL_FILE": "/nowhere"}, nil, "no such file"},
		"a folder":          {map[string]string{"DATABASE_URL_FILE": "/"}, nil, "is a directory"},
		"an empty file":     {map[string]string{"DATABASE_URL_FILE": "EMPTY"}, nil, "is empty"},
		"a huge file":       {map[string]string{"DATABASE_URL_FILE": "/dev/zero"}, nil, "more than 65536 bytes"},
		"no host":           {map[string]string{"DATABASE_URL": "postgres:///dozor"}, nil, "no host"},
		"no database":       {map[string]string{"DATABASE_URL": "postgres://u:s3cret-word@db"}, nil, "no database in it"},
		"a broken escape":   {map[string]string{"DATABASE_URL": "postgres://u:s3cret-word%zz@db/x"}, nil, "no URL"},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range c.env {
				switch v {
				case "FILE":
					v = file(t, goodURL)
				case "EMPTY":
					v = file(t, "\r\n")
				}
				t.Setenv(k, v)
			}
			_, err := parse(t, append([]string{"serve"}, c.args...)...)
			found := problems(t, err)
			require.Len(t, found, 1, err)
			for setting, what := range found {
				require.Contains(t, []string{"DATABASE_URL", "DATABASE_URL_FILE"}, setting)
				require.Contains(t, what, c.want)
			}
			require.NotContains(t, err.Error(), "s3cret")
		})
	}
}

func TestAMistypedFlagDoesNotEchoItsValue(t *testing.T) {
	forget(t)
	for _, args := range [][]string{
		{"serve", "--databse-url", goodURL}, {"serve", "--databse-url=" + goodURL}, {"serve", "--pasword=s3cret"},
	} {
		_, err := parse(t, args...)
		require.ErrorContains(t, err, "unknown flag")
		require.NotContains(t, err.Error(), "s3cret")
	}
}

func TestUnixSocketsAreHosts(t *testing.T) {
	forget(t)
	t.Setenv("DATABASE_URL", "postgres://dozor@/dozor?host=%2Frun%2Fpostgresql&port=5432")
	_, err := parse(t, "reset")
	require.NoError(t, err)
}

func TestBounds(t *testing.T) {
	forget(t)
	t.Setenv("DATABASE_URL", goodURL)
	for _, c := range []struct {
		want string
		args []string
	}{
		{"not between", []string{"serve", "--poll-interval=49ms"}},
		{"not between", []string{"serve", "--poll-interval=6s"}},
		{"at least 1", []string{"serve", "--max-panels=0"}},
		{"up to 65535", []string{"serve", "--listen=:99999"}},
		{"up to 65535", []string{"serve", "--listen=:080"}},
		{"same address", []string{"serve", "--listen=a:1", "--health-listen=a:1"}},
		{"no role", []string{"serve", "--roles=,"}},
		{"1 to 500", []string{"demo", "--sites=0"}},
		{"want a folder", []string{"demo", "--data= "}},
		{"may kill", []string{"demo", "--full", "--room=:10081"}},
		{"may kill", []string{"demo", "--full", "--room=192.0.2.1:10081"}},
		{"1 to 10000", []string{"sim", "--panels=0"}},
		{"negative", []string{"sim", "--log-delay=-1s"}},
		{"where should the keyring go", []string{"key"}},
	} {
		_, err := parse(t, c.args...)
		require.ErrorContains(t, err, c.want, "%v", c.args)
	}
}

func TestTheControlRoomIsForThisMachine(t *testing.T) {
	forget(t)
	for _, address := range []string{"localhost:1", "127.0.0.1:1", "[::1]:1"} {
		_, err := parse(t, "demo", "--full", "--room", address)
		require.NoError(t, err, address)
	}
}

func TestSettingsAreShownWithoutSecrets(t *testing.T) {
	forget(t)
	t.Setenv("DATABASE_URL", goodURL)
	t.Setenv("DOZOR_KEY_FILE", keyFile(t))
	g, err := parse(t, "serve", "--instance=mini")
	require.NoError(t, err)
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).LogAttrs(t.Context(), slog.LevelInfo, "settings", config.Attrs(g.Serve)...)
	for _, want := range []string{
		"database_url=[redacted]", `database_direct_url=""`, "dozor_instance=mini",
		"dozor_poll_interval=250ms", "dozor_log_level=INFO",
	} {
		require.Contains(t, out.String(), want)
	}
	require.NotContains(t, out.String()+fmt.Sprintf("%v %+v %#v", g, g, g), "s3cret")
}

func TestHelpNamesEveryVariableAndHidesSecretFlags(t *testing.T) {
	forget(t)
	var out bytes.Buffer
	var g grammar
	type left struct{}
	require.PanicsWithValue(t, left{}, func() {
		_, _ = config.Parse(&g, []string{"serve", "--help"}, kong.Name("dozor"), kong.Writers(&out, &out),
			kong.Exit(func(int) { panic(left{}) }))
	})
	for _, want := range []string{
		"DATABASE_URL", "DATABASE_DIRECT_URL", "DATABASE_OWNER_URL", "with _FILE behind it",
		"--poll-interval", "$DOZOR_POLL_INTERVAL", "[250ms]", "$DOZOR_ROLES", "$DOZOR_KEY_FILE", "$DOZOR_LOG_LEVEL",
	} {
		require.Contains(t, out.String(), want)
	}
	require.NotContains(t, out.String(), "--database-url")
}
