package testkit

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/redistemp"
)

// Redis starts a private Redis that belongs to one test and ends with it. It may be
// killed, restarted, frozen and emptied: a channel knows no databases, so that tests
// don't share a server.
func Redis(t testing.TB, cfg redistemp.Config) *redistemp.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	// Not t.TempDir: the server's user must reach it.
	dir, err := os.MkdirTemp("", "dozor-test-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	cfg.Dir = filepath.Join(dir, "redis")
	server, err := redistemp.Start(ctx, cfg)
	require.NoError(t, err, "start the private Redis")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, server.Kill(ctx))
		require.NoError(t, os.RemoveAll(dir))
	})
	return server
}
