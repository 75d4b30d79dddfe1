// Command pushpeer is what `dozor bench push` compares with: the smallest server on the
// library centrifuge that does what dozor's stream does. Clients on WebSockets follow one
// channel that has positions and a history to recover from, in memory.
//
// It is a module of its own, so that the library and what it needs are none of dozor's.
// It imports nothing of dozor.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/centrifugal/centrifuge"
)

const (
	channel = "stream"
	// As many as dozor keeps in the memory of an instance, and for longer than any run.
	historySize = 5000
	historyLife = time.Hour
	maxPublish  = 1 << 20
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "where to serve")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen); err != nil {
		fmt.Fprintln(os.Stderr, "pushpeer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen string) error {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return fmt.Errorf("make the node: %w", err)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{
			Credentials:   &centrifuge.Credentials{UserID: "bench"},
			Subscriptions: map[string]centrifuge.SubscribeOptions{channel: {EnableRecovery: true, EnablePositioning: true}},
		}, nil
	})
	if err := node.Run(); err != nil {
		return fmt.Errorf("run the node: %w", err)
	}

	mux := http.NewServeMux()
	mux.Handle("GET /connection", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{}))
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("POST /publish", func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPublish))
		if err == nil {
			_, err = node.Publish(channel, data, centrifuge.WithHistory(historySize, historyLife))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	server := &http.Server{Addr: listen, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	leaving, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = errors.Join(node.Shutdown(leaving), server.Shutdown(leaving))
	if ending := <-ended; !errors.Is(ending, http.ErrServerClosed) {
		err = errors.Join(err, ending)
	}
	return err
}
