package testkit

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/rabbittemp"
)

// One broker a test process, started by the first test that asks: a boot takes seconds.
var rabbit struct {
	once   sync.Once
	server *rabbittemp.Server
	dir    string
	err    error
	count  atomic.Int64
}

func stopRabbit() error {
	if rabbit.server != nil {
		rabbit.server.Kill()
	}
	if rabbit.dir != "" {
		return os.RemoveAll(rabbit.dir)
	}
	return nil
}

// Rabbit is the private broker of this test process. A test that kills or freezes it is
// no parallel one, and leaves it running.
func Rabbit(t testing.TB) *rabbittemp.Server {
	t.Helper()
	rabbit.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		rabbit.dir, rabbit.err = os.MkdirTemp("", "dozor-rabbit-")
		if rabbit.err == nil {
			rabbit.err = os.Chmod(rabbit.dir, 0o755)
		}
		if rabbit.err == nil {
			rabbit.server, rabbit.err = rabbittemp.Start(ctx, rabbittemp.Config{Dir: rabbit.dir + "/broker"})
		}
	})
	require.NoError(t, rabbit.err, "start the private RabbitMQ")
	return rabbit.server
}

// Vhost makes a virtual host of the private broker for the test, deleted with it, and
// returns its name.
func Vhost(t testing.TB) string {
	t.Helper()
	server := Rabbit(t)
	name := fmt.Sprintf("test_%d", rabbit.count.Add(1))
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	require.NoError(t, server.AddVhost(ctx, name))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := server.DeleteVhost(ctx, name); err != nil {
			t.Errorf("delete the test's virtual host: %v", err)
		}
	})
	return name
}
