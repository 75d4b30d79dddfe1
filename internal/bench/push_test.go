package bench

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func did(messages int64, cpu float64, elapsed time.Duration, grown int64) pushed {
	return pushed{
		messages: messages, elapsed: elapsed, grown: grown, latency: Latency{P99: 7},
		processes: []ProcessUse{{Name: "server", CPU: cpu, RSS: 80}},
	}
}

func TestPushIsReportedAsARatioOfMessagesPerCPUSecond(t *testing.T) {
	o := PushOptions{Clients: 1000, Slow: .05, Rate: 20, Bytes: 1024, Duration: 20 * time.Second}
	r := newPushReport(o, did(400_000, 4, 20*time.Second, 30<<20), []pushed{did(400_000, 5, 20*time.Second, 40<<20)})
	require.Equal(t, 20_000.0, r.PerSecond)
	require.Equal(t, 100_000.0, r.PerCPUSecond)
	require.Equal(t, 80_000.0, *r.PeerPerCPUSecond)
	require.Equal(t, 1.25, *r.Ratio)
	require.Equal(t, 30.7, r.KiBPerClient)
	require.Equal(t, 41.0, *r.PeerKiBPerClient)
	require.Equal(t, 50, r.Slow)
	require.NoError(t, r.verdict())
	require.Contains(t, printed(t, &r), "dozor sends 1.25 messages for each that the peer sends in the same CPU time")

	alone := newPushReport(o, did(400_000, 4, 20*time.Second, 30<<20), nil)
	require.Contains(t, printed(t, &alone), "no --peer was given")
	var out bytes.Buffer
	require.NoError(t, alone.Print(&out, true))
	var members map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &members))
	for _, key := range []string{"ratio_to_peer", "peer_messages_per_cpu_s", "peer_p99_ms", "peer_kib_per_client"} {
		require.Contains(t, members, key)
		require.Nil(t, members[key], key)
	}

	lossy := did(399_999, 4, 20*time.Second, 0)
	lossy.lost = 1
	r = newPushReport(o, lossy, nil)
	require.ErrorIs(t, r.verdict(), ErrInexact)
}

func TestPushOptionsThatMakeNoSenseAreNamed(t *testing.T) {
	good := PushOptions{Clients: 10, Rate: 1, Bytes: 1024, Duration: time.Second}
	require.NoError(t, good.check())
	for want, change := range map[string]func(*PushOptions){
		"--clients":  func(o *PushOptions) { o.Clients = 0 },
		"--slow":     func(o *PushOptions) { o.Slow = 1 },
		"--rate":     func(o *PushOptions) { o.Rate = 0 },
		"--bytes":    func(o *PushOptions) { o.Bytes = 10 },
		"--duration": func(o *PushOptions) { o.Duration = 0 },
	} {
		o := good
		change(&o)
		require.ErrorContains(t, o.check(), want)
		_, err := Push(t.Context(), o)
		require.ErrorContains(t, err, want)
	}
	require.ErrorContains(t, enoughFiles(1<<40), "ulimit")
	require.Equal(t, int64(25), (&PushOptions{Rate: 5, Duration: 20 * time.Second}).perTurn())
	require.Equal(t, int64(1), (&PushOptions{Rate: .1, Duration: time.Second}).perTurn())
}

// frame is one of a server's.
func frame(kind byte, payload string) []byte {
	b := []byte{kind}
	switch n := len(payload); {
	case n < length16:
		b = append(b, byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, length16), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, length64), uint64(n))
	}
	return append(b, payload...)
}

// heard lets a listener hear frames and returns it, what it said, and how it ended.
func heard(t *testing.T, frames ...[]byte) (l *listener, said []byte, err error) {
	t.Helper()
	ours, theirs := net.Pipe()
	l = &listener{conn: theirs, in: bufio.NewReader(theirs), tally: &tally{}, joined: make(chan struct{})}
	ended := make(chan error, 1)
	go func() { defer theirs.Close(); ended <- l.hear() }()
	go func() {
		for _, f := range frames {
			if _, err := ours.Write(f); err != nil {
				return
			}
		}
	}()
	said, errSaid := io.ReadAll(ours)
	require.NoError(t, errSaid)
	return l, said, <-ended
}

func TestListenersReadWhatServersWrite(t *testing.T) {
	now := time.Now()
	note := func(n int64, length int) string { return string(numbered(n, now, length)) }
	require.Len(t, note(7, 1024), 1024)
	require.True(t, json.Valid(numbered(7, now, 1024)))

	l, said, err := heard(t,
		frame(0x81, note(1, 64)),                            // a short one
		frame(0x81, note(2, 1024)),                          // two bytes of length
		frame(0x81, note(3, 70_000)),                        // eight
		frame(0x81, note(4, 64)+"\n{}\n"+note(5, 64)),       // joined, the peer's ping between
		frame(0x01, note(6, 64)[:20]), frame(0x89, "hello"), // in two parts, a ping between
		frame(0x80, note(6, 64)[20:]),
		frame(0x81, note(6, 64)), // again
		frame(0x81, note(9, 64)), // two are missing
		frame(0x81, `{"type":"heartbeat"}`),
		frame(0x88, "\x0f\xa1slow"),
	)
	require.Equal(t, closedError{4001, "slow"}, err)
	require.Equal(t, int64(9), l.newest.Load())
	require.Equal(t, 1, l.doubled)
	require.Equal(t, 2, l.lost)
	require.Len(t, l.took, 7)
	require.Equal(t, "\x81\x82\x00\x00\x00\x00{}"+"\x8a\x85\x00\x00\x00\x00hello", string(said))
	select {
	case <-l.joined:
	default:
		t.Fatal("the first message did not join it")
	}
}

func TestListenersRefuseWhatIsNoMessage(t *testing.T) {
	for name, wrong := range map[string][]byte{
		"a frame of kind 3":    frame(0x83, ""),
		"bytes":                {0x81, 127, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
		"read a notification:": frame(0x81, `{"bench":[x,1]}`),
	} {
		_, _, err := heard(t, wrong)
		require.ErrorContains(t, err, name)
	}
}

func TestACrowdIsSummedUpWithoutItsSlowOnes(t *testing.T) {
	c := newCrowd(PushOptions{Clients: 4, Slow: .5})
	c.ends = []error{os.ErrDeadlineExceeded, errors.New("reset by peer"), nil, nil}
	for i, newest := range []int64{0, 0, 10, 8} {
		c.listeners[i] = &listener{took: make([]time.Duration, newest)}
		c.listeners[i].newest.Store(newest)
	}
	c.listeners[3].lost, c.listeners[3].doubled = 1, 3
	p := c.sum(10)
	require.Equal(t, int64(18), p.messages)
	require.Equal(t, 1, p.letGo)
	require.Equal(t, 3, p.lost, "one on the way, two at the end")
	require.Equal(t, 3, p.doubled)
}

func TestCollectionsAreReadFromMetrics(t *testing.T) {
	n, err := collectionsOf([]byte("# TYPE\ngo_gc_duration_seconds_count 12\ngo_goroutines 9\n"))
	require.NoError(t, err)
	require.Equal(t, 12, n)
	_, err = collectionsOf([]byte(strings.Repeat("x", 10)))
	require.Error(t, err)
}
