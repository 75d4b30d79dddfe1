package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/test/station"
)

// A dozor that can't do what it is told says why in one sentence that names the setting, and ends with an error.
func TestBadSettingsAreSaidInOneSentence(t *testing.T) {
	t.Parallel()
	s := station.New(t, station.Options{})
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	badKey := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(badKey, []byte("not a key\n"), 0o600))

	for name, c := range map[string]struct {
		environment []string
		says        []string
	}{
		"taken port":        {[]string{"DOZOR_LISTEN=" + taken.Addr().String()}, []string{taken.Addr().String(), "address already in use", "--listen"}},
		"taken health port": {[]string{"DOZOR_HEALTH_LISTEN=" + taken.Addr().String()}, []string{taken.Addr().String(), "--health-listen"}},
		"no port":           {[]string{"DOZOR_LISTEN=here"}, []string{"DOZOR_LISTEN", "here"}},
		"no database":       {[]string{"DATABASE_URL="}, []string{"DATABASE_URL"}},
		"not a database":    {[]string{"DATABASE_URL=http://example.com"}, []string{"DATABASE_URL"}},
		"nobody there":      {[]string{"DATABASE_URL=postgres://dozor:s3cret-word@127.0.0.1:1/dozor"}, []string{"DATABASE_URL"}},
		"no such database":  {[]string{"DATABASE_URL=" + s.Postgres.AppURL("nowhere")}, []string{"nowhere"}},
		"no such user":      {[]string{"DATABASE_URL=" + s.Postgres.URL("burglar", "postgres")}, []string{"burglar"}},
		"empty database":    {[]string{"DATABASE_URL=" + s.Postgres.AppURL("template1")}, []string{"dozor migrate"}},
		"no key file":       {[]string{"DOZOR_KEY_FILE=/nowhere/key"}, []string{"DOZOR_KEY_FILE", "/nowhere/key"}},
		"key file unset":    {[]string{"DOZOR_KEY_FILE="}, []string{"DOZOR_KEY_FILE"}},
		"not a key":         {[]string{"DOZOR_KEY_FILE=" + badKey}, []string{badKey}},
		"unknown role":      {[]string{"DOZOR_ROLES=api,cook"}, []string{"DOZOR_ROLES", "cook"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := s.Once(t, 30*time.Second, c.environment, "serve")
			require.NotZero(t, code)
			require.Empty(t, stdout)
			var lines []string
			for line := range strings.Lines(stderr) {
				// What it was told, without secrets, is in the log before.
				if !strings.HasPrefix(line, "{") || !strings.Contains(line, `"level":"INFO"`) {
					lines = append(lines, line)
				}
			}
			require.Len(t, lines, 1, stderr)
			require.True(t, strings.HasPrefix(lines[0], "dozor: "), stderr)
			for _, word := range c.says {
				require.Contains(t, stderr, word)
			}
			require.NotContains(t, stderr, "s3cret-word")
		})
	}
}
