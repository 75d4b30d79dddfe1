package sim

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
	"dozor/satel/client"
)

const testKey = "klucz 1234"

// connect is what a program does that speaks the protocol.
func connect(t *testing.T, s *Server, key string, change ...func(*client.Config)) *client.Conn {
	t.Helper()
	cipher, err := satel.NewCipher(key)
	require.NoError(t, err)
	cfg := client.Config{Address: s.PanelAddr(1), Cipher: cipher, Timeout: 300 * time.Millisecond}
	for _, c := range change {
		c(&cfg)
	}
	conn, err := client.Dial(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

func TestEncryptedPanelServesWhoHasTheKey(t *testing.T) {
	b := quick(t, func(c *Config) { c.Encrypted, c.Key = true, testKey })
	s := serve(t, b.Panel)
	conn := connect(t, s, testKey)
	for range 3 {
		_, _, err := conn.Clock(t.Context())
		require.NoError(t, err)
	}
	b.do(b.Violate(4))
	zones, err := conn.List(t.Context(), satel.CmdZonesViolated, true)
	require.NoError(t, err)
	require.Equal(t, []int{4}, zones.Numbers())
	require.True(t, b.State().Encrypted)

	busy := dial(t, s, 1)
	text, err := io.ReadAll(busy)
	require.NoError(t, err)
	require.Len(t, text, 1+6+satel.BusySize, "the text of a taken module is a message too")
	cipher, err := satel.NewCipher(testKey)
	require.NoError(t, err)
	_, err = cipher.ParseMessage(text[1:])
	require.ErrorIs(t, err, satel.ErrMessage, "whose content is no frame")
	require.True(t, b.last().Busy)
}

func TestWrongKeyAndNoKey(t *testing.T) {
	for name, policy := range map[string]WrongKey{"silent": SilentOnWrongKey, "closed": CloseOnWrongKey} {
		b := quick(t, func(c *Config) { c.Encrypted, c.Key, c.WrongKey = true, testKey, policy })
		s := serve(t, b.Panel)
		_, _, err := connect(t, s, "another").Clock(t.Context())
		require.ErrorIs(t, err, client.ErrKey, name)
		require.NotContains(t, err.Error(), testKey)
		eventually(t, func() bool { return b.last().Damaged == 1 })
		if policy == CloseOnWrongKey {
			eventually(t, func() bool { return b.last().Ended == "the client has another key" })
		} else {
			require.NotEqual(t, "the client has another key", b.last().Ended)
		}
		b.HangUp()
		_, _, err = connect(t, s, "", func(c *client.Config) { c.Cipher = nil }).Clock(t.Context())
		require.Error(t, err, "a plain client of an encrypted module")
		require.Empty(t, b.last().Requests)
	}
	b := quick(t)
	_, _, err := connect(t, serve(t, b.Panel), testKey).Clock(t.Context())
	require.ErrorIs(t, err, client.ErrKey, "an encrypted client of a plain module")
}

func TestKeyIsSetAndNeverShown(t *testing.T) {
	var log strings.Builder
	b := quick(t)
	s, err := NewServer(ServerConfig{
		Panels: []*Panel{b.Panel}, Control: "127.0.0.1:0",
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	a := newAPI(t, s)
	plain := dial(t, s, 1)
	plain.ask(satel.CmdClock)

	post := func(query, body string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.url+"/panels/1/key"+query, strings.NewReader(body))
		require.NoError(t, err)
		response, err := a.client.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(text)
	}
	heard := ""
	for _, order := range []struct {
		query, body string
		status      int
	}{
		{"", `{"encrypted": true, "key": "` + testKey + `"}`, http.StatusOK},
		{"?wrong=close&key=" + strings.ReplaceAll(testKey, " ", "%20"), "", http.StatusOK},
		{"", `{"encrypted": "` + testKey + `"}`, http.StatusBadRequest},
		{"", `{"key": "` + testKey + `ąę"}`, http.StatusBadRequest},
		{"?wrong=" + "never", "", http.StatusBadRequest},
	} {
		status, text := post(order.query, order.body)
		require.Equal(t, order.status, status, text)
		heard += text
	}
	plain.gone()
	conn := connect(t, s, testKey)
	_, _, err = conn.Clock(t.Context())
	require.NoError(t, err)
	status, _ := post("", "{}")
	require.Equal(t, http.StatusOK, status)
	dial(t, s, 1).ask(satel.CmdClock)
	for _, path := range []string{"/panels", "/panels/1", "/panels/1/connections"} {
		_, body := a.raw(http.MethodGet, path)
		heard += string(body)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, s.Stop(ctx))
	require.NotContains(t, heard+log.String(), testKey)
}

func TestSecondClientThrowsTheFirstOut(t *testing.T) {
	b := quick(t, func(c *Config) { c.Clients = FirstOut })
	s := serve(t, b.Panel)
	first := dial(t, s, 1)
	first.ask(satel.CmdClock)
	second := dial(t, s, 1)
	second.ask(satel.CmdClock)
	first.gone()
	seen := b.Connections()
	require.Equal(t, "thrown out by another client", seen[0].Ended)
	require.Empty(t, Rivals(seen), "one after the other")
}

func TestManyClientsAreSeenToBeRivals(t *testing.T) {
	b := quick(t)
	b.SetClients(ManyClients)
	s := serve(t, b.Panel)
	first := dial(t, s, 1)
	first.ask(satel.CmdClock)
	second := dial(t, s, 1)
	second.ask(satel.CmdClock)
	require.Empty(t, Rivals(b.Connections()))
	code, err := satel.EncodeUserCode(DefaultCode, "", satel.UserCodeSize)
	require.NoError(t, err)
	first.ask(satel.CmdClearAlarm, append(code, 1, 0, 0, 0)...)
	require.Equal(t, [][2]int{{1, 2}}, Rivals(b.Connections()))
	require.Equal(t, 1, b.Commands()[0].Connection)
	require.NoError(t, first.Close())
	require.Equal(t, satel.CmdClock, second.ask(satel.CmdClock).Cmd, "the other stays")
}

func TestDeadClientKeepsItsPlace(t *testing.T) {
	const limit = 300 * time.Millisecond
	b := quick(t, func(c *Config) { c.IdleLimit = limit })
	s := serve(t, b.Panel)
	require.False(t, b.HalfOpen(), "nobody is there")
	w := dial(t, s, 1)
	w.ask(satel.CmdClock)
	began := time.Now()
	require.True(t, b.HalfOpen())
	w.gone()
	text, err := io.ReadAll(dial(t, s, 1))
	require.NoError(t, err)
	require.True(t, satel.IsBusy(text))
	eventually(t, func() bool {
		w := dial(t, s, 1)
		w.send(satel.CmdClock)
		frame, err := w.next()
		return err == nil && frame.Cmd == satel.CmdClock
	})
	require.GreaterOrEqual(t, time.Since(began), limit)
}

func TestLossyAndSlowLinks(t *testing.T) {
	b := quick(t)
	s := serve(t, b.Panel)
	w := dial(t, s, 1)
	b.SetLink(LinkLossy, 0)
	for n := range 60 {
		w.send(satel.CmdArmed)
		eventually(t, func() bool { return b.last().Answers+b.last().Lost == n+1 })
	}
	lost := b.last().Lost
	require.Greater(t, lost, 5)
	require.Less(t, lost, 40)
	for range 60 - lost {
		_, err := w.next()
		require.NoError(t, err)
	}
	b.SlowLink(100*time.Millisecond, 0)
	sent := time.Now()
	w.ask(satel.CmdClock)
	require.GreaterOrEqual(t, time.Since(sent), 100*time.Millisecond)
	require.Equal(t, LinkSlow, b.Link())
	b.SetLink(LinkNormal, 0)
	b.HangUp()
	w.gone()
}

// listed returns the commands of the next n frames that nobody asked for.
func (w *wire) listed(n int) []satel.Frame {
	w.t.Helper()
	frames := make([]satel.Frame, n)
	for i := range frames {
		var err error
		frames[i], err = w.next()
		require.NoError(w.t, err)
	}
	return frames
}

func subscription(changed, received satel.CommandSet) []byte {
	return satel.AppendSubscription(nil, satel.Subscription{Changed: changed, Received: received}, satel.NewDataLong)
}

func TestSubscriberIsToldOnceThenAtEveryChange(t *testing.T) {
	b := quick(t)
	s := serve(t, b.Panel)
	w := dial(t, s, 1)
	wanted := satel.Commands(satel.CmdZonesViolated, satel.CmdPartitionsViolated, satel.CmdOutputs)
	require.Equal(t, resultFrame(satel.ResultAccepted), w.ask(satel.CmdNewData, subscription(wanted, 0)...))
	began := time.Now()
	for i, frame := range w.listed(3) {
		require.Equal(t, wanted.List()[i], frame.Cmd)
		require.Len(t, frame.Data, frame.Cmd.List().Size(true))
	}
	require.GreaterOrEqual(t, time.Since(began), 2*pushGap, "not all at once")

	b.do(b.Violate(4))
	told := w.listed(2)
	require.Equal(t, satel.CmdZonesViolated, told[0].Cmd)
	require.Equal(t, []int{4}, satel.Bits(told[0].Data).Numbers())
	require.Equal(t, satel.CmdPartitionsViolated, told[1].Cmd)
	require.Contains(t, b.news(), satel.CmdZonesViolated, "telling is no reading")
	eventually(t, func() bool { return b.last().Pushed == 5 })

	// A record is told too, and the pair of indexes is new and previous.
	for n := range 3 {
		b.Record(numbered(t, n))
		frame := w.listed(1)[0]
		require.Equal(t, satel.CmdEventRecord, frame.Cmd)
		entry, err := satel.ParseLogEntry(frame.Data)
		require.NoError(t, err)
		require.Equal(t, numbered(t, n).Masked(), entry.Record.Masked())
		newest, _ := b.Newest()
		require.Equal(t, newest.Index, entry.Index)
		require.Equal(t, newest.Index, b.ReadLog(satel.NewestIndex).Index)
		if n > 0 {
			require.Equal(t, b.ReadLog(newest.Index).Index, entry.Called)
		}
	}

	require.NoError(t, w.Close())
	eventually(t, func() bool { return !b.State().Connected })
	again := dial(t, s, 1)
	again.ask(satel.CmdClock)
	b.do(b.RestoreZone(4))
	require.Equal(t, satel.CmdClock, again.ask(satel.CmdClock).Cmd, "a new connection is told nothing")
	require.Zero(t, b.last().Pushed)
}

func TestSubscriberHearsWhatComesByItself(t *testing.T) {
	b := setup(t, func(c *Config) {
		c.AnswerDelay, c.MinGap, c.Now = -1, -1, time.Now
		site := DefaultSite(DefaultCode)
		site.Partitions[0].ExitDelay = 300 * time.Millisecond
		c.Site = &site
	})
	w := dial(t, serve(t, b.Panel), 1)
	w.ask(satel.CmdNewData, subscription(satel.Commands(satel.CmdArmed), 0)...)
	w.listed(1)
	b.do(b.Arm(1, Arming{}))
	var told []satel.Command
	for !contains(told, satel.CmdArmed) {
		told = append(told, w.listed(1)[0].Cmd)
	}
	require.Equal(t, satel.CmdEventRecord, told[0], "the exit time")
}

func contains(all []satel.Command, cmd satel.Command) bool {
	for _, c := range all {
		if c == cmd {
			return true
		}
	}
	return false
}

func TestSecondMaskIsToldAgainAndAgain(t *testing.T) {
	b := setup(t, func(c *Config) { c.AnswerDelay, c.MinGap, c.Now = -1, -1, time.Now })
	w := dial(t, serve(t, b.Panel), 1)
	w.ask(satel.CmdNewData, subscription(0, satel.Commands(satel.CmdArmed))...)
	w.listed(3)
	require.Equal(t, resultFrame(satel.ResultAccepted), func() satel.Frame {
		w.send(satel.CmdNewData, subscription(0, 0)...)
		for {
			if frame := w.listed(1)[0]; frame.Cmd == satel.CmdResult {
				return frame
			}
		}
	}())
	require.Equal(t, satel.CmdClock, w.ask(satel.CmdClock).Cmd)
}

func TestOldModule(t *testing.T) {
	b := setup(t, func(c *Config) { c.OldModule = true })
	for _, request := range []satel.Frame{
		{Cmd: satel.CmdModuleVersion},
		{Cmd: satel.CmdTroubles8},
		{Cmd: satel.CmdTroubles6},
		{Cmd: satel.CmdNewData, Data: subscription(1, 0)},
		{Cmd: satel.CmdNewData, Data: []byte{0, 0}},
	} {
		_, ok := b.Answer(request)
		require.False(t, ok, request.Cmd)
	}
	require.Len(t, b.ask(satel.CmdZonesViolated, 0xFF).Data, 16)
	require.Len(t, b.ask(satel.CmdNewData).Data, satel.NewDataShort)
}

func TestRequestsAreRememberedInOrder(t *testing.T) {
	b := quick(t)
	w := dial(t, serve(t, b.Panel), 1)
	for n := range keptRequests + 10 {
		w.ask(satel.CmdObjectName, 1, byte(n))
	}
	recent := b.last().Recent
	require.Len(t, recent, keptRequests)
	for i, r := range recent {
		require.Equal(t, []byte{1, byte(i + 10)}, r.Data)
	}
}
