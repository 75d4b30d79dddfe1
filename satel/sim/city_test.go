package sim

import (
	"context"
	"os"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dozor/satel"
	"dozor/satel/client"
)

// BenchmarkCity polls 500 panels, or DOZOR_CITY_PANELS of them, each every 250 ms, or DOZOR_CITY_POLL, as a worker does when
// nothing happens, and tells what a second of it costs. Panels and clients are one process here.
func BenchmarkCity(b *testing.B) {
	count := 500
	if n, err := strconv.Atoi(os.Getenv("DOZOR_CITY_PANELS")); err == nil {
		count = n
	}
	panels, err := NewPanels(count, Config{})
	if err != nil {
		b.Fatal(err)
	}
	s, err := NewServer(ServerConfig{Panels: panels})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Stop(context.Background()) }()
	ctx, cancel := context.WithCancel(b.Context())
	poll := 250 * time.Millisecond
	if d, err := time.ParseDuration(os.Getenv("DOZOR_CITY_POLL")); err == nil {
		poll = d
	}
	var asked atomic.Int64
	var clients, connected sync.WaitGroup
	for i := range panels {
		connected.Add(1)
		clients.Go(func() {
			conn, err := client.Dial(ctx, client.Config{Address: s.PanelAddr(i + 1)})
			connected.Done()
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			tick := time.NewTicker(poll)
			defer tick.Stop()
			for {
				asked.Add(1)
				if _, err := conn.NewData(ctx, satel.NewDataLong); err != nil && ctx.Err() == nil {
					b.Error(err)
					return
				}
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		})
	}
	connected.Wait()
	const rounds = 10 * time.Second
	var before, after syscall.Rusage
	for b.Loop() {
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
		asked.Store(0)
		<-time.After(rounds)
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	}
	used := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	b.ReportMetric(float64(used.Milliseconds())/rounds.Seconds(), "cpu-ms/s")
	b.ReportMetric(float64(after.Maxrss)/1024, "MiB-rss")
	b.ReportMetric(float64(pprof.Lookup("threadcreate").Count()), "threads")
	b.ReportMetric(float64(asked.Swap(0))/rounds.Seconds(), "requests/s")
	cancel()
	clients.Wait()
}
