package client_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
	"dozor/satel/client"
	"dozor/satel/sim"
)

// BenchmarkSessions has many connections in one process ask for news as often as a worker does, a round of all of them
// in each operation, in the open and encrypted. The simulated panels are in the same process, so their share is in it.
func BenchmarkSessions(b *testing.B) {
	const sessions = 100
	for name, key := range map[string]string{"plain": "", "encrypted": "klucz"} {
		b.Run(name, func(b *testing.B) {
			panels, err := sim.NewPanels(sessions, sim.Config{
				Encrypted: key != "", Key: key, AnswerDelay: -1, MinGap: -1,
			})
			require.NoError(b, err)
			server, err := sim.NewServer(sim.ServerConfig{Panels: panels})
			require.NoError(b, err)
			ctx := context.Background()
			require.NoError(b, server.Start(ctx))
			defer func() { require.NoError(b, server.Stop(ctx)) }()
			cfg := client.Config{MinGap: time.Millisecond, StartGap: time.Millisecond}
			if key != "" {
				cfg.Cipher = newCipher(b, key)
			}
			conns := make([]*client.Conn, sessions)
			for i := range conns {
				cfg.Address = server.PanelAddr(i + 1)
				conns[i], err = client.Dial(ctx, cfg)
				require.NoError(b, err)
				defer conns[i].Close()
			}
			b.ReportAllocs()
			for b.Loop() {
				var wait sync.WaitGroup
				for _, c := range conns {
					wait.Go(func() {
						if _, err := c.NewData(ctx, satel.NewDataMiddle); err != nil {
							b.Error(err)
						}
					})
				}
				wait.Wait()
			}
		})
	}
}
