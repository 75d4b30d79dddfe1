package app

import (
	"context"
	"os/exec"
	"syscall"

	"dozor/internal/child"
	"dozor/internal/demo/room"
)

// stationProcess is this program in a process of its own, with what is to be known of it.
type stationProcess struct {
	*child.Server

	kind   room.Kind
	name   string
	args   []string
	log    string // path
	url    string // where people are served; of an API
	health string // root of its health server
}

// own makes the server of a process that does not run yet. Answers asks it whether it serves.
func (p *stationProcess) own(env []string, answers func(ctx context.Context) error) {
	p.Server = child.NewServer(child.Serving{
		Name: p.name, Log: p.log, Boot: startTime, Death: syscall.SIGKILL, Ask: answers,
		Command: func() *exec.Cmd {
			// The program that runs, even if another one lies in its place by now.
			cmd := exec.Command("/proc/self/exe", p.args...) //nolint:noctx // its life is not that of its start
			cmd.Args[0] = "dozor"
			cmd.Env = env
			return cmd
		},
	})
}
