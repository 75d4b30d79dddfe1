package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/secret"
	"dozor/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// dozor runs the program as main does and returns what it wrote and its exit code.
func dozor(ctx context.Context, args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	code = run(ctx, args, streams{in: os.Stdin, out: &out, err: &errs})
	return out.String(), errs.String(), code
}

func TestHelpIsThereForEveryCommand(t *testing.T) {
	commandLine := regexp.MustCompile(`(?m)^  ([a-z]+(?: [a-z]+)*)(?: \[flags\]| <[a-z]+>|  )`)
	out, errs, code := dozor(t.Context(), "--help")
	require.Zero(t, code, errs)
	found := commandLine.FindAllStringSubmatch(out, -1)
	require.NotEmpty(t, found, out)
	for _, match := range found {
		help, errs, code := dozor(t.Context(), append(strings.Fields(match[1]), "--help")...)
		require.Zero(t, code, errs)
		require.Contains(t, help, "Usage: dozor "+match[1])
	}
}

func TestWhatIsNotUnderstoodEndsWithTwoAndAWayOn(t *testing.T) {
	for _, args := range [][]string{{}, {"guard"}, {"sim", "--colour"}, {"key"}} {
		out, errs, code := dozor(t.Context(), args...)
		require.Equal(t, exitUsage, code, args)
		require.Empty(t, out)
		require.Contains(t, errs, "dozor: ")
		require.Contains(t, errs, "--help")
	}
	_, errs, code := dozor(t.Context(), "sim", "--panels=none", "--min-gap=-1s")
	require.Equal(t, exitUsage, code)
	require.Equal(t, "dozor: the settings can't be used:\n  --panels: \"none\" is no number\n  --min-gap: a time can't be negative\n", errs)
}

func TestKeyInitWritesOnceForTheOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dozor.key")
	out, errs, code := dozor(t.Context(), "key", "init", "--key-file", path)
	require.Zero(t, code, errs)
	require.Contains(t, out, path)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	_, err = secret.LoadKeyring(path)
	require.NoError(t, err)
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, out, strings.TrimSpace(string(before)))

	_, errs, code = dozor(t.Context(), "key", "init", "--key-file", path)
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "nothing was written")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestMigrate(t *testing.T) {
	db := testkit.DB(t)
	t.Setenv("DATABASE_OWNER_URL", db.OwnerURL)
	out, errs, code := dozor(t.Context(), "migrate")
	require.Zero(t, code, errs)
	require.Contains(t, out, "the database has schema version")

	t.Setenv("DATABASE_OWNER_URL", "postgres://owner:s3cret-word@127.0.0.1:1/dozor")
	out, errs, code = dozor(t.Context(), "migrate")
	require.Equal(t, exitFailed, code)
	require.Empty(t, out)
	require.NotContains(t, errs, "s3cret")
}

func TestSimAnswersUntilItIsStopped(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		_, _, code := dozor(ctx, "sim", "--listen", address, "--control=127.0.0.1:0", "--panels=1")
		ended <- code
	}()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)
	stop()
	require.Zero(t, <-ended)
}

func TestVersion(t *testing.T) {
	out, _, code := dozor(t.Context(), "version")
	require.Zero(t, code)
	require.Regexp(t, `^dozor \S+ go1\.\d+\S* linux/\w+\n$`, out)
}

func TestUsersAreMadeAtTheCommandLine(t *testing.T) {
	db := testkit.DB(t)
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte(secret.GenerateKey()+"\n"), 0o600))
	t.Setenv("DATABASE_URL", db.AppURL)
	t.Setenv("DOZOR_KEY_FILE", key)
	t.Setenv("DOZOR_PASSWORD", "first-s3cret")

	out, errs, code := dozor(t.Context(), "user", "create", "Nowak", "--name", "Anna Nowak", "--role=operator")
	require.Zero(t, code, errs)
	require.Contains(t, out, "Anna Nowak may sign in as operator")
	before := testkit.One[string](t, db, "SELECT password_hash FROM users WHERE login = 'nowak'")
	require.NotContains(t, out+errs+before, "s3cret")

	_, errs, code = dozor(t.Context(), "user", "create", "nowak", "--name=Another", "--role=admin")
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "Another user has this login.")

	t.Setenv("DOZOR_PASSWORD", "second-s3cret")
	_, errs, code = dozor(t.Context(), "user", "password", "nowak")
	require.Zero(t, code, errs)
	require.NotEqual(t, before, testkit.One[string](t, db, "SELECT password_hash FROM users WHERE login = 'nowak'"))
}

func TestServeSaysWhatIsWrongWithTheDatabase(t *testing.T) {
	db := testkit.DB(t)
	key := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(key, []byte(secret.GenerateKey()+"\n"), 0o600))
	t.Setenv("DOZOR_KEY_FILE", key)
	t.Setenv("DATABASE_URL", strings.Replace(db.AppURL, db.Name, "postgres", 1))
	_, errs, code := dozor(t.Context(), "serve", "--listen=127.0.0.1:0", "--health-listen=127.0.0.1:0")
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "run dozor migrate")
	require.Contains(t, errs, `"msg":"settings","database_url":"[redacted]"`)
}
