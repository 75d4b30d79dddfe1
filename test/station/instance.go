package station

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/failpoint"
	"dozor/internal/obs"
)

// Instance is dozor serve in a process of its own. Its name, roles and addresses stay over restarts.
type Instance struct {
	*Process
	s      *Station
	name   string
	roles  string
	listen string
	health string
	extra  []string // settings of its own
}

// Instance makes an instance with roles, "worker,api,relay" for all; nothing runs before Start.
func (s *Station) Instance(name, roles string) *Instance {
	i := &Instance{
		Process: newProcess(s.T, s.Dir, name), s: s, name: name, roles: roles, listen: freeAddress(s.T), health: freeAddress(s.T),
	}
	s.processes = append(s.processes, i.Process)
	return i
}

// AllRoles are those of a station in one process.
const AllRoles = "worker,api,relay"

// Start starts the process with orders to fail, empty for none: see package failpoint.
func (i *Instance) Start(orders string) {
	i.t.Helper()
	i.start(Binary(i.t), []string{"serve"}, append(append(i.s.environment(), i.environment()...), failpoint.Variable+"="+orders))
}

// Set gives the instance settings of its own from its next start on, as NAME=value.
func (i *Instance) Set(settings ...string) { i.extra = settings }

// environment is what every dozor of the station is told.
func (s *Station) environment() []string {
	environment := []string{
		"DATABASE_URL=" + s.Postgres.AppURL(s.database),
		"DOZOR_KEY_FILE=" + s.keyFile,
	}
	if s.Rabbit != nil {
		environment = append(environment, "AMQP_URL="+s.Rabbit.URL("/"))
	}
	if s.Redis != nil {
		environment = append(environment, "REDIS_URL="+s.Redis.URL())
	}
	return environment
}

func (i *Instance) environment() []string {
	return append([]string{
		"DOZOR_ROLES=" + i.roles, "DOZOR_INSTANCE=" + i.name, "DOZOR_LISTEN=" + i.listen, "DOZOR_HEALTH_LISTEN=" + i.health,
		"DOZOR_DESK_GRACE=0", // screens of tests make no sound
	}, i.extra...)
}

// Name is what the instance calls itself in leases and logs.
func (i *Instance) Name() string { return i.name }

// Once runs a command of dozor to its end, with the station's settings and then those given, and returns how it ended and
// what it wrote.
func (s *Station) Once(t testing.TB, within time.Duration, environment []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, Binary(t), args...)
	cmd.Env = append(append(append(os.Environ(), s.environment()...),
		"DOZOR_LISTEN=127.0.0.1:0", "DOZOR_HEALTH_LISTEN=127.0.0.1:0"), environment...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	require.NoError(t, ctx.Err(), "dozor %v does not end: %s", args, errs.String())
	if _, exited := errors.AsType[*exec.ExitError](err); !exited {
		require.NoError(t, err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// URL is the root of the instance's API.
func (i *Instance) URL() string { return "http://" + i.listen }

// Ready waits until the instance says that it is ready.
func (i *Instance) Ready(within time.Duration) {
	i.t.Helper()
	deadline := time.Now().Add(within)
	for !i.IsReady() {
		require.True(i.t, i.Running(), "%s ended while it was waited for", i.name)
		require.True(i.t, time.Now().Before(deadline), "%s is not ready after %v", i.name, within)
		pause(i.t, 20*time.Millisecond)
	}
}

// IsReady asks the instance whether it is ready.
func (i *Instance) IsReady() bool {
	readiness, err := i.Readiness()
	return err == nil && readiness.Ready
}

// Readiness is what the instance says of itself and its parts.
func (i *Instance) Readiness() (obs.Readiness, error) {
	var readiness obs.Readiness
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+i.health+"/readyz", nil)
	require.NoError(i.t, err)
	res, err := control.Do(req)
	if err != nil {
		return readiness, err
	}
	defer res.Body.Close()
	return readiness, json.NewDecoder(res.Body).Decode(&readiness)
}

// Sees returns how the instance sees a part that it can do without: the word for its state, empty when all is well, and why.
func (i *Instance) Sees(part string) (state, reason string) {
	readiness, err := i.Readiness()
	if err != nil {
		return "unknown", err.Error()
	}
	for _, c := range readiness.Checks {
		if c.Name == part {
			return c.Detail, c.Error
		}
	}
	return "unknown", "not checked"
}

// pause is the time between two looks at something.
func pause(t testing.TB, d time.Duration) {
	select {
	case <-t.Context().Done():
	case <-time.After(d):
	}
}

// freeAddress finds a port below those that the kernel gives to connections, so that it stays free while a process that
// has it is started again.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", 12000+rand.IntN(20000))
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		require.NoError(t, l.Close())
		if _, taken := handedOut.LoadOrStore(address, true); !taken {
			return address
		}
	}
	require.Fail(t, "no port is free")
	return ""
}

// handedOut are the addresses of instances, which may not be running now.
var handedOut sync.Map
