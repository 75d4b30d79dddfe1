package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/outbox"
	"dozor/internal/wire"
)

// pushDozor starts a dozor to be measured. Notifications are written to its outbox as any
// part of it does that tells of a change; the relay of the same process takes them up.
func (s *station) pushDozor(ctx context.Context) (_ *pushServer, done func(), err error) {
	dozor, err := s.serve(ctx, "api,relay")
	if err != nil {
		return nil, nil, err
	}
	a := newAPI(dozor.url, benchLogin, s.password)
	from, err := a.position(ctx)
	if err != nil {
		a.close()
		return nil, nil, err
	}
	if err := rest(ctx, dozor, a); err != nil {
		a.close()
		return nil, nil, err
	}
	resume, err := json.Marshal(map[string]wire.StreamPosition{"resume": from})
	if err != nil {
		a.close()
		return nil, nil, fmt.Errorf("resume the stream: %w", err)
	}
	join := func(ctx context.Context, slow bool) (*listener, error) {
		ticket, err := a.ticket(ctx)
		if err != nil {
			return nil, err
		}
		l, err := dialListener(ctx, strings.TrimPrefix(dozor.url, "http://"), "/api/ws", slow, protocol+", "+ticketPrefix+ticket)
		if err != nil {
			return nil, err
		}
		return l, l.say(opText, resume)
	}
	publish := func(ctx context.Context, data []byte) error {
		return s.pool.InTx(ctx, func(tx pgx.Tx) error {
			if err := outbox.Append(ctx, tx, outbox.Row{Type: wire.EventRecorded, Data: json.RawMessage(data)}); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "SELECT pg_notify($1, '')", outbox.HintChannel)
			return err
		})
	}
	server := &pushServer{name: "dozor", child: dozor.child, beside: []meter{s.postgresMeter()}, join: join, publish: publish}
	return server, a.close, nil
}

const (
	// restCollections of garbage leave nothing of what signing in took, which is 64 MiB at
	// once.
	restCollections = 2
	restLimit       = 30 * time.Second
	// restCalm without memory given back says that none is to come.
	restCalm = 2 * time.Second
)

// rest waits until dozor has given back what it took to begin and to let the bench in.
// Otherwise its clients would seem to need nothing until that is used up, and the
// collector would let garbage grow as high again.
func rest(ctx context.Context, dozor *served, a *api) error {
	first := -1
	least, since := int64(math.MaxInt64), time.Now()
	return until(ctx, dozor.child, restLimit, "dozor's memory to be at rest", func(ctx context.Context) error {
		page, err := fetch(ctx, dozor.metrics)
		if err != nil {
			return err
		}
		collections, err := collectionsOf(page)
		if err != nil {
			return err
		}
		if first < 0 {
			first = collections
		}
		if collections < first+restCollections {
			for range 200 { // garbage
				if _, err := a.position(ctx); err != nil {
					return err
				}
			}
			return fmt.Errorf("%d collections of garbage", collections)
		}
		used, err := ofProcess(dozor.pid())
		if err != nil {
			return err
		}
		if used.rss < least-1<<20 {
			least, since = used.rss, time.Now()
		}
		if time.Since(since) < restCalm {
			return fmt.Errorf("it is giving back memory, %d bytes are left", used.rss)
		}
		return nil
	})
}

// collectionsOf finds how often garbage was collected, in the text format of metrics.
func collectionsOf(page []byte) (int, error) {
	_, after, found := bytes.Cut(page, []byte("\ngo_gc_duration_seconds_count "))
	if !found {
		return 0, errors.New("read metric go_gc_duration_seconds: it is not there")
	}
	number, _, _ := bytes.Cut(after, []byte("\n"))
	return strconv.Atoi(string(number))
}

// What the peer speaks: the JSON protocol of centrifuge.
var (
	peerConnect = []byte(`{"id":1,"connect":{}}`)
	peerPing    = []byte(`{}`) // answered with the same
)

// pushPeer starts the server to compare with.
func (s *station) pushPeer(ctx context.Context, program string) (*pushServer, error) {
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	at := net.JoinHostPort("127.0.0.1", ports[0])
	c, err := startChild(program, "peer", s.dir, nil, "--listen="+at)
	if err != nil {
		return nil, err
	}
	s.children = append(s.children, c)
	err = until(ctx, c, readyLimit, "the peer to be ready", func(ctx context.Context) error {
		_, err := fetch(ctx, "http://"+at+"/ready")
		return err
	})
	if err != nil {
		return nil, err
	}
	join := func(ctx context.Context, slow bool) (*listener, error) {
		l, err := dialListener(ctx, at, "/connection", slow, "centrifuge-json")
		if err != nil {
			return nil, err
		}
		return l, l.say(opText, peerConnect)
	}
	client := newClient()
	publish := func(ctx context.Context, data []byte) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+at+"/publish", bytes.NewReader(data))
		if err != nil {
			return err
		}
		answer, err := client.Do(request)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusNoContent {
			said, err := io.ReadAll(io.LimitReader(answer.Body, 300))
			return errors.Join(fmt.Errorf("%s: %s", answer.Status, said), err)
		}
		return nil
	}
	return &pushServer{name: "peer", child: c, join: join, publish: publish}, nil
}
