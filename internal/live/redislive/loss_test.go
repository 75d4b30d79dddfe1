package redislive_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/redistemp"
)

// loss is a way to lose data of Redis.
type loss struct {
	name string
	lose func(t *testing.T, server *redistemp.Server, older string)
}

var losses = []loss{
	{"flushed", func(t *testing.T, server *redistemp.Server, _ string) { admin(t, server, "FLUSHALL") }},
	{"killed", func(t *testing.T, server *redistemp.Server, _ string) {
		require.NoError(t, server.Kill(context.Background()))
		require.NoError(t, server.Restart(context.Background()))
	}},
	{"older", func(t *testing.T, server *redistemp.Server, older string) {
		require.NoError(t, server.Kill(context.Background()))
		files := filepath.Join(server.Dir(), "appendonlydir")
		require.NoError(t, os.RemoveAll(files))
		copyTree(t, older, files, server.Dir())
		require.NoError(t, server.Restart(context.Background()))
	}},
}

// copyTree copies a directory; the copy belongs to whom like does.
func copyTree(t *testing.T, from, to, like string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		if d.IsDir() {
			err = os.MkdirAll(target, 0o700)
		} else {
			var raw []byte
			if raw, err = os.ReadFile(path); err == nil {
				err = os.WriteFile(target, raw, 0o600)
			}
		}
		return errors.Join(err, ownLike(like, target))
	}))
}

// TestLostDataTellItself loses data of Redis in the middle of leases, frames and a
// subscription.
func TestLostDataTellItself(t *testing.T) {
	t.Parallel()
	for _, l := range losses {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			s := &system{newPair(t)}
			s.Panels(t, 4)
			a, b := s.open(t).store, s.open(t).store
			var (
				mu    sync.Mutex
				heard []live.Frame
			)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			require.NoError(t, b.Subscribe(ctx, func(frames []live.Frame) {
				mu.Lock()
				defer mu.Unlock()
				heard = append(heard, frames...)
			}))
			older := filepath.Join(t.TempDir(), "older")
			early, late := s.Commit(t, 20), s.Commit(t, 20)
			require.NoError(t, a.Publish(ctx, early))
			copyTree(t, filepath.Join(s.Server.Dir(), "appendonlydir"), older, s.Server.Dir())
			require.NoError(t, a.Publish(ctx, late))
			life, err := a.Life(ctx)
			require.NoError(t, err)
			const ttl = 3 * time.Second
			held, err := a.Acquire(ctx, "a", 4, nil, ttl)
			require.NoError(t, err)
			require.Len(t, held, 4)

			l.lose(t, s.Server, older)

			// Whoever asks gets nothing as long as the holder trusts; some of it is renewed.
			renewed := held[:2]
			until := map[ids.PanelID]time.Time{}
			for _, lease := range held {
				until[lease.PanelID] = lease.Until
			}
			taken := map[ids.PanelID]time.Time{}
			for end := time.Now().Add(20 * time.Second); len(taken) < 2; {
				require.True(t, time.Now().Before(end), "what nobody renews is granted again in the end; %d of 2", len(taken))
				if kept, err := a.Renew(ctx, "a", renewed, ttl); err == nil {
					require.Len(t, kept, 2, "the holder keeps what it renews")
					for _, lease := range kept {
						until[lease.PanelID] = lease.Until
					}
				}
				got, err := b.Acquire(ctx, "b", 4, nil, ttl)
				now := time.Now()
				if err != nil {
					continue // Redis is not back yet
				}
				for _, lease := range got {
					require.False(t, now.Before(until[lease.PanelID]), "panel %d is granted %v before its holder ceases to trust", lease.PanelID, until[lease.PanelID].Sub(now))
					taken[lease.PanelID] = now
				}
			}
			for _, lease := range held[2:] {
				require.Contains(t, taken, lease.PanelID)
			}

			// A hole is told, and what is published now is complete again.
			more := s.Commit(t, 5)
			require.Eventually(t, func() bool { return a.Publish(ctx, more) == nil }, 10*time.Second, time.Millisecond)
			upTo := more[len(more)-1].Position
			frames, complete, err := b.Range(ctx, more[0].Epoch, 0, upTo, 1000)
			require.NoError(t, err)
			if complete && len(frames) > 0 && frames[len(frames)-1].Position == upTo {
				require.Len(t, frames, int(upTo), "complete means all of them")
			}
			if l.name != "killed" {
				require.False(t, complete && len(frames) == int(upTo), "what was lost can't be there")
			}
			frames, complete, err = b.Range(ctx, more[0].Epoch, more[0].Position-1, upTo, 1000)
			require.NoError(t, err)
			require.True(t, complete)
			require.Len(t, frames, len(more))

			require.Eventually(t, func() bool {
				mu.Lock()
				defer mu.Unlock()
				return slices.ContainsFunc(heard, func(f live.Frame) bool { return f.Position == upTo })
			}, 10*time.Second, time.Millisecond, "the subscription goes on")
			now, err := a.Life(ctx)
			require.NoError(t, err)
			require.NotEqual(t, life, now, "it is another life of the data")
		})
	}
}

// ownLike gives a file to whom another one belongs.
func ownLike(like, path string) error {
	info, err := os.Stat(like)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("who owns %s: unknown", like)
	}
	return os.Chown(path, int(owner.Uid), int(owner.Gid))
}
