package apiclient_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	demoStarts = 90 * time.Second
	demoStops  = 20 * time.Second
)

// facts is what a running demo says of itself in demo.json.
type facts struct {
	URL   string `json:"url"`
	Users []struct {
		Login    string `json:"login"`
		Password string `json:"password"`
		Role     string `json:"role"`
	} `json:"users"`
	DatabaseDir string `json:"database_dir"`
}

// startDemo runs the program named by DOZOR_BIN as a whole station of three sites where
// nothing happens by itself.
func startDemo(t *testing.T) facts {
	t.Helper()
	binary := os.Getenv("DOZOR_BIN")
	require.NotEmpty(t, binary, "DOZOR_BIN names no program; run make client")
	data := t.TempDir()

	ctx, cancel := context.WithCancel(context.Background())
	demo := exec.CommandContext(ctx, binary, "demo", "--data", data, "--sites", "3", "--quiet-scenario",
		"--desk-grace", "0s", "--listen", freeAddress(t), "--control", freeAddress(t))
	demo.Stdout, demo.Stderr = t.Output(), t.Output()
	demo.Cancel = func() error { return demo.Process.Signal(syscall.SIGTERM) }
	demo.WaitDelay = demoStops
	require.NoError(t, demo.Start())
	ended := make(chan error, 1)
	go func() { ended <- demo.Wait() }()
	var known facts
	t.Cleanup(func() {
		cancel()
		<-ended
		if known.DatabaseDir != "" {
			require.NoError(t, os.RemoveAll(known.DatabaseDir)) // not always under data
		}
	})

	deadline := time.After(demoStarts)
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the demo ended by itself: %v", err)
		case <-deadline:
			t.Fatalf("the demo does not serve after %v", demoStarts)
		case <-tick.C:
		}
		text, err := os.ReadFile(filepath.Join(data, "demo.json"))
		if err != nil || json.Unmarshal(text, &known) != nil {
			continue
		}
		if response, err := http.Get(known.URL + "/api/session"); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusUnauthorized {
				tick.Stop()
				return known
			}
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}
