package app

import (
	"context"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"dozor/internal/config"
	"dozor/internal/secret"
	"dozor/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// rulesFile is what Prometheus reads.
type rulesFile struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert       string
			Expr        string
			For         string
			Labels      map[string]string
			Annotations map[string]string
		}
	}
}

// selector is a metric in an expression, with its matchers.
var (
	selector = regexp.MustCompile(`\b(dozor_[a-z0-9_]+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`^\s*([a-z_]+)="([^"]*)"\s*$`)
)

// A rule about a metric that nobody shows never fires, and looks like good news.
func TestEveryMetricOfTheAlertRulesIsShown(t *testing.T) {
	t.Parallel()
	series := scrape(t)
	raw, err := os.ReadFile("../../deploy/prometheus/dozor.rules.yml")
	require.NoError(t, err)
	var file rulesFile
	decoder := yaml.NewDecoder(strings.NewReader(string(raw)))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&file))
	names := map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			require.False(t, names[r.Alert], "two rules are called %s", r.Alert)
			names[r.Alert] = true
			require.Contains(t, []string{"warning", "critical"}, r.Labels["severity"], r.Alert)
			require.NotEmpty(t, r.Annotations["summary"], r.Alert)
			require.NotEmpty(t, r.Annotations["description"], r.Alert)
			for _, found := range selector.FindAllStringSubmatch(r.Expr, -1) {
				require.True(t, shown(t, series, found[1], found[2]), "%s asks for %s, which a running instance does not show", r.Alert, found[0])
			}
			// Also what the sentences send people to look at.
			for _, found := range selector.FindAllStringSubmatch(r.Annotations["description"], -1) {
				require.True(t, shown(t, series, found[1], ""), "%s speaks of %s", r.Alert, found[1])
			}
		}
	}
	require.Contains(t, slices.Collect(maps.Keys(names)), "DozorDeadLetters")
}

func shown(t *testing.T, series []string, metric, matchers string) bool {
	t.Helper()
	var wanted []string
	for m := range strings.SplitSeq(matchers, ",") {
		if m = strings.TrimSpace(m); m != "" {
			require.Regexp(t, matcher, m, "only plain matchers are understood here")
			wanted = append(wanted, m)
		}
	}
	return slices.ContainsFunc(series, func(line string) bool {
		name := line[:strings.IndexAny(line+" ", "{ ")]
		return name == metric && !slices.ContainsFunc(wanted, func(m string) bool { return !strings.Contains(line, m) })
	})
}

// scrape runs all roles over a database and returns the lines of /metrics.
func scrape(t *testing.T) []string {
	t.Helper()
	db := testkit.DB(t)
	db.Exec(t, "INSERT INTO dead_letters (dedup_key, lane, topic, body, reason) VALUES ('\\x01', 'live', '', '', 'r')")
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte(secret.GenerateKey()), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	started, ended := make(chan addresses, 1), make(chan error, 1)
	go func() {
		ended <- Program{Version: "1.2.3", Log: testkit.Logger(t)}.serve(ctx, config.Serve{
			Database: config.Database{URL: secret.Redacted(db.AppURL)}, Roles: config.AllRoles,
			Listen: "127.0.0.1:0", HealthListen: "127.0.0.1:0", KeyFile: key, Instance: "test", MaxPanels: 1,
		}, func(a addresses) { started <- a })
	}()
	defer func() {
		cancel()
		require.NoError(t, <-ended)
	}()
	var at addresses
	select {
	case at = <-started:
	case err := <-ended:
		ended <- err
		require.NoError(t, err)
		t.Fatal("it ended before it began")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.health+"/metrics", http.NoBody)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Contains(t, string(raw), "\ndozor_dead_letters 1\n")
	return slices.DeleteFunc(strings.Split(string(raw), "\n"), func(line string) bool { return line == "" || line[0] == '#' })
}
