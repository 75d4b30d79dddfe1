package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"dozor/internal/config"
	"dozor/internal/deadletter"
	"dozor/internal/desk"
	"dozor/internal/httpapi"
	"dozor/internal/obs"
	"dozor/internal/presence"
	"dozor/internal/push"
	"dozor/internal/selfwatch"
	"dozor/internal/stream"
	"dozor/internal/webui"
	"dozor/internal/worker"
)

// drainHTTP bounds the end of requests and of connections that listen.
const drainHTTP = 5 * time.Second

// web is what serves people: the desk, the stream and the pages.
type web struct {
	desk   *desk.Desk
	hub    *stream.Hub
	push   *push.Handler
	people *presence.Presence
	self   *selfwatch.Watch
	server *http.Server
}

func (c *core) web(cfg config.Serve, letters *deadletter.Letters, health *obs.Health) (*web, error) {
	w := &web{desk: desk.New(desk.Deps{Pool: c.pool, Audit: c.audit, Notified: c.notified})}
	w.hub = stream.NewHub(stream.Config{Fanout: c.live, Reader: stream.NewTable(c.pool), Log: c.log, Metrics: stream.NewMetrics(c.registry)})
	health.Add("stream", func(context.Context) (string, error) {
		if !w.hub.Ready() {
			return "", errors.New("the stream was not found yet")
		}
		return "", nil
	})
	w.people = presence.New(presence.Config{
		Pool: c.pool, Instance: c.instance, Publish: w.hub.PublishDesks, Logger: c.log, Metrics: c.registry,
	})
	w.self = selfwatch.New(selfwatch.Config{
		Pool: c.pool, Bus: c.bus, Queue: c.bus, Logger: c.log, Trace: obs.NewTrace, DeskGrace: cfg.DeskGrace, LeaseTTL: worker.LeaseTTL,
		Publish: w.hub.PublishStation, Metrics: c.registry,
	})
	w.push = push.New(push.Config{Hub: w.hub, Tickets: c.auth, Presence: w.people, Log: c.log, Metrics: push.NewMetrics(c.registry)})
	client, err := webClient(cfg.WebDir)
	if err != nil {
		return nil, fmt.Errorf("open the web client: %w", err)
	}
	handler := httpapi.New(httpapi.Deps{
		Pool: c.pool, Auth: c.auth, Desk: w.desk, Sites: c.sites, Commands: c.commands, Letters: letters,
		Presence: w.people, Self: w.self, Roster: c.roster, Queues: c.queues(), Hub: w.hub, Push: w.push, Events: w.push, Client: client, Log: c.log, Version: c.version, Instance: c.instance,
	})
	w.server = httpServer(handler, c.log)
	return w, nil
}

func webClient(dir string) (http.Handler, error) {
	if dir != "" {
		return webui.Dir(dir)
	}
	return webui.Handler()
}

// serve answers until ctx ends; then clients are told to go elsewhere and requests end.
func (w *web) serve(ctx context.Context, l net.Listener) error {
	ended := make(chan error, 1)
	go func() { ended <- w.server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainHTTP)
	defer cancel()
	err := errors.Join(w.push.Stop(drain), w.server.Shutdown(drain))
	if ending := <-ended; !errors.Is(ending, http.ErrServerClosed) {
		err = errors.Join(err, ending)
	}
	if err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	return nil
}

// queues are the buses as people know them.
func (c *core) queues() map[string]httpapi.Depths {
	queues := map[string]httpapi.Depths{"postgres": c.pgbus}
	if c.broker != nil {
		queues[partRabbit] = c.broker
	}
	return queues
}
