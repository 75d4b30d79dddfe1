package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// diskEvery is how often the disk is asked: far less than PostgreSQL does.
	diskEvery = 25 * time.Millisecond
	diskBlock = 8 << 10 // bytes: a page of PostgreSQL
)

// diskMeter makes one page durable now and then, beside PostgreSQL on the same disk. An
// alarm waits for several such writes one after another; where a single one stalls, no
// program is faster.
type diskMeter struct {
	stop    context.CancelFunc
	group   errgroup.Group
	samples []time.Duration
}

// watchDisk measures the disk of a folder until stopped.
func watchDisk(ctx context.Context, dir string) (*diskMeter, error) {
	f, err := os.Create(filepath.Join(dir, "disk"))
	if err != nil {
		return nil, fmt.Errorf("measure the disk: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	m := &diskMeter{stop: cancel}
	m.group.Go(func() error { return errors.Join(m.run(ctx, f), f.Close()) })
	return m, nil
}

func (m *diskMeter) run(ctx context.Context, f *os.File) error {
	page := make([]byte, diskBlock)
	tick := time.NewTicker(diskEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		begun := time.Now()
		if _, err := f.WriteAt(page, 0); err != nil {
			return fmt.Errorf("measure the disk: %w", err)
		}
		if err := f.Sync(); err != nil {
			return fmt.Errorf("measure the disk: %w", err)
		}
		m.samples = append(m.samples, time.Since(begun))
	}
}

// end stops measuring and sums up.
func (m *diskMeter) end() (Latency, error) {
	m.stop()
	if err := m.group.Wait(); err != nil {
		return Latency{}, err
	}
	return summarise(m.samples), nil
}
