package push_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/auth"
	"dozor/internal/push"
	"dozor/internal/wire"
)

// listener is a client of server-sent events.
type listener struct {
	t      testing.TB
	lines  *bufio.Scanner
	cancel context.CancelFunc
}

type heard struct {
	id, name string
	said     said
}

// listen opens the stream as somebody who was let in.
func (s *station) listen(query, lastID string) (*listener, *http.Response) {
	s.t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.handler.ServeEvents(w, r, auth.ViewerOf(s.who, time.Time{}))
	}))
	server.Config.ConnContext = push.WithConn
	server.Start()
	s.t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	s.t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/stream?"+query, http.NoBody)
	require.NoError(s.t, err)
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	answer, err := s.browser.Do(request)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = answer.Body.Close() })
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	return &listener{s.t, lines, cancel}, answer
}

// next reads one event; false at the end of the stream. What was cut off before its empty
// line is none, as for every listener.
func (l *listener) next() (h heard, ok bool) {
	l.t.Helper()
	data := ""
	for l.lines.Scan() {
		name, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch name {
		case "id":
			h.id = value
		case "event":
			h.name = value
		case "data":
			data = value
		case "":
			if h.name != "" {
				require.NoError(l.t, json.Unmarshal([]byte(data), &h.said))
				return h, true
			}
		}
	}
	return h, false
}

func idOf(at wire.StreamPosition) string { return fmt.Sprintf("%d.%d", at.Epoch, at.Position) }

func TestEventsComeOnceInOrderAndGoOnAfterABreak(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{})
	from := s.head()
	s.emit(3, wire.EventsData{SiteID: 1})
	l, answer := s.listen("resume="+idOf(from), "")
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
	var frames []heard
	for len(frames) < 3 {
		h, ok := l.next()
		require.True(t, ok)
		if h.name == wire.EventRecorded {
			require.Equal(t, fmt.Sprintf("%d.%d", h.said.Epoch, h.said.Position), h.id)
			frames = append(frames, h)
		}
	}
	require.Equal(t, []int64{from.Position + 1, from.Position + 2, from.Position + 3},
		[]int64{frames[0].said.Position, frames[1].said.Position, frames[2].said.Position})
	l.cancel()

	// The id that a browser shows again counts before its address.
	again, _ := s.listen("resume="+idOf(from), frames[1].id)
	for {
		h, ok := again.next()
		require.True(t, ok)
		if h.name == wire.EventRecorded {
			require.Equal(t, from.Position+3, h.said.Position)
			break
		}
	}
	for {
		h, ok := again.next()
		require.True(t, ok)
		if h.name == "heartbeat" {
			require.Equal(t, idOf(s.head()), h.id)
			break
		}
	}
}

func TestEventsFromAnotherEpochBeginWithAReset(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{})
	head := s.head()
	l, _ := s.listen(fmt.Sprintf("resume=%d.%d", head.Epoch-1, head.Position), "")
	h, ok := l.next()
	require.True(t, ok)
	require.Equal(t, "reset", h.name)
	require.Equal(t, idOf(head), h.id)
	s.emit(1, wire.EventsData{SiteID: 1})
	for h.name != wire.EventRecorded {
		h, ok = l.next()
		require.True(t, ok)
	}
}

func TestEventsEndWithTheAccessAndWithTheServer(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{})
	l, _ := s.listen("resume="+idOf(s.head()), "")
	_, ok := l.next()
	require.True(t, ok)
	s.hub.RevokeUser(s.who.UserID)
	last := heard{}
	for h, ok := l.next(); ok; h, ok = l.next() {
		last = h
	}
	require.Equal(t, "end", last.name)

	other := newStation(t, push.Timeouts{})
	l, _ = other.listen("resume="+idOf(other.head()), "")
	_, ok = l.next()
	require.True(t, ok)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	require.NoError(t, other.handler.Stop(ctx))
	for h, ok := l.next(); ok; h, ok = l.next() {
		last = h
	}
	require.Equal(t, "end", last.name)
	_, answer := other.listen("resume="+idOf(other.head()), "")
	require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
}

func TestSlowListenersAreLetGoAndSlowNobody(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{Stall: 2 * time.Second})
	start := s.head()
	asleep, _ := s.listen("resume="+idOf(start), "")
	quick, _ := s.listen("resume="+idOf(start), "")
	const n = 60
	began := time.Now()
	s.emit(n, strings.Repeat("x", 100_000)) // 6 MB: more than sockets hold of which nobody reads
	for seen := 0; seen < n; {
		h, ok := quick.next()
		require.True(t, ok)
		if h.name == wire.EventRecorded {
			seen++
		}
	}
	require.Less(t, time.Since(began), 15*time.Second, "the others are not slowed")
	require.Eventually(t, func() bool { return s.closed("4001") == 1 }, 20*time.Second, 10*time.Millisecond, "it was not let go")

	// What it had taken until then is whole and in order, and it goes on from there.
	have := start
	for h, ok := asleep.next(); ok; h, ok = asleep.next() {
		if h.name == wire.EventRecorded {
			require.Equal(t, have.Position+1, h.said.Position)
			have.Position++
		}
	}
	require.Less(t, have.Position, start.Position+n)
	again, _ := s.listen("resume="+idOf(start), idOf(have))
	for have.Position < start.Position+n {
		h, ok := again.next()
		require.True(t, ok)
		if h.name == wire.EventRecorded {
			require.Equal(t, have.Position+1, h.said.Position)
			have.Position++
		}
	}
}

func TestEventsAskedForWronglyAreRefusedInWords(t *testing.T) {
	t.Parallel()
	s := newStation(t, push.Timeouts{})
	for query, code := range map[string]string{
		"": "resume_required", "resume=7": "invalid_resume", "resume=a.b": "invalid_resume", "resume=-1.2": "invalid_resume",
		"resume=" + idOf(s.head()) + "&panels=x": "invalid_panels",
	} {
		_, answer := s.listen(query, "")
		require.Equal(t, http.StatusBadRequest, answer.StatusCode, query)
		var p struct{ Code string }
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&p))
		require.Equal(t, code, p.Code, query)
	}
}
