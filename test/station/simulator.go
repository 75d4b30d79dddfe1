package station

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Simulator is a process with simulated panels, and the way to its control API.
type Simulator struct {
	*Process
	url string
}

// PanelEvent is a record that a panel has written, as its control API tells it.
type PanelEvent struct {
	Sequence   uint64    `json:"sequence"`
	Index      string    `json:"index"`
	Record     string    `json:"record"` // as first written, in hexadecimal
	Code       int       `json:"code"`
	Restore    bool      `json:"restore"`
	HappenedAt time.Time `json:"happened_at"`
	RecordedAt time.Time `json:"recorded_at"`
}

// PanelCommand is what a panel was told to do.
type PanelCommand struct {
	At         time.Time `json:"at"`
	Connection int       `json:"connection"` // the ID of the one that brought it
	Command    string    `json:"command"`
	Partitions []int     `json:"partitions"`
	Zones      []int     `json:"zones"`
	Outputs    []int     `json:"outputs"`
	ResultCode int       `json:"result_code"`
}

// PanelView is what a panel shows.
type PanelView struct {
	Address    string `json:"address"`
	Connected  bool   `json:"connected"`
	Waiting    int    `json:"waiting"` // records that have not reached the memory yet
	LogHeld    int    `json:"log_held"`
	LogSize    int    `json:"log_size"`
	Partitions []struct {
		Number    int    `json:"number"`
		Phase     string `json:"phase"` // disarmed, exit, armed
		EntryTime bool   `json:"entry_time"`
	} `json:"partitions"`
}

// Connection is one connection that a panel has seen.
type Connection struct {
	ID       int            `json:"id"`
	OpenedAt time.Time      `json:"opened_at"`
	ClosedAt time.Time      `json:"closed_at"`
	FirstAt  time.Time      `json:"first_at"` // of its requests
	Busy     bool           `json:"busy"`
	Requests map[string]int `json:"requests"`
	Answers  int            `json:"answers"`
	Recent   []Asked        `json:"recent"` // its newest requests
}

// Asked is a request of a connection.
type Asked struct {
	At time.Time `json:"at"`
}

// Acted is the answer to an act: what it put on record at once.
type Acted struct {
	At     time.Time    `json:"at"`
	First  uint64       `json:"first_sequence"`
	Last   uint64       `json:"last_sequence"`
	Events []PanelEvent `json:"events"`
}

var controlURL = regexp.MustCompile(`control=(http://\S+)`)

// startSimulator starts dozor sim on ports that are free.
func startSimulator(t testing.TB, dir string, panels int, args ...string) *Simulator {
	t.Helper()
	s := &Simulator{Process: newProcess(t, dir, "sim")}
	s.start(Binary(t), append([]string{
		"sim", "--listen=127.0.0.1:0", "--control=127.0.0.1:0", fmt.Sprintf("--panels=%d", panels),
	}, args...), nil)
	require.Eventually(t, func() bool {
		found := controlURL.FindStringSubmatch(s.Log())
		if found != nil {
			s.url = found[1]
		}
		return found != nil
	}, 30*time.Second, 10*time.Millisecond, "the simulator says where its control API is")
	return s
}

// control is the way to control APIs: a new connection for each call, so that none is left behind.
var control = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// Act makes something happen: the path of a POST of the control API, without the panel: "zones/8/violate".
func (s *Simulator) Act(panel int, act string) Acted {
	s.t.Helper()
	acted, err := s.TryAct(panel, act)
	require.NoError(s.t, err)
	return acted
}

// TryAct is Act for what a panel may refuse.
func (s *Simulator) TryAct(panel int, act string) (Acted, error) {
	var acted Acted
	err := s.call(http.MethodPost, fmt.Sprintf("/panels/%d/%s", panel, act), &acted)
	return acted, err
}

// Events returns everything that the panel's memory was ever given.
func (s *Simulator) Events(panel int) []PanelEvent {
	s.t.Helper()
	var answer struct {
		Events []PanelEvent `json:"events"`
	}
	require.NoError(s.t, s.call(http.MethodGet, fmt.Sprintf("/panels/%d/events", panel), &answer))
	return answer.Events
}

// Panel returns what a panel shows now.
func (s *Simulator) Panel(panel int) PanelView {
	s.t.Helper()
	var v PanelView
	require.NoError(s.t, s.call(http.MethodGet, fmt.Sprintf("/panels/%d", panel), &v))
	return v
}

// AtRest reports whether a panel records nothing more unless somebody does something.
func (s *Simulator) AtRest(panel int) bool {
	s.t.Helper()
	v := s.Panel(panel)
	for _, p := range v.Partitions {
		if p.EntryTime || p.Phase == "exit" {
			return false
		}
	}
	return v.Waiting == 0
}

// Commands returns every command that the panel was ever given, and the connections that it remembers.
func (s *Simulator) Commands(panel int) ([]PanelCommand, []Connection) {
	s.t.Helper()
	var answer struct {
		Commands    []PanelCommand `json:"commands"`
		Connections []Connection   `json:"connections"`
	}
	require.NoError(s.t, s.call(http.MethodGet, fmt.Sprintf("/panels/%d/connections", panel), &answer))
	return answer.Commands, answer.Connections
}

// Rivals returns the connections of a panel that made requests in the same time, in pairs: the one that was there, and the
// one that came.
func (s *Simulator) Rivals(panel int) (pairs [][2]Connection) {
	s.t.Helper()
	var answer struct {
		Rivals      [][2]int     `json:"rivals"`
		Connections []Connection `json:"connections"`
	}
	require.NoError(s.t, s.call(http.MethodGet, fmt.Sprintf("/panels/%d/connections", panel), &answer))
	of := map[int]Connection{}
	for _, c := range answer.Connections {
		of[c.ID] = c
	}
	for _, r := range answer.Rivals {
		pairs = append(pairs, [2]Connection{of[r[0]], of[r[1]]})
	}
	return pairs
}

// Storm is what is known of a storm.
type Storm struct {
	Running bool `json:"running"`
	Struck  int  `json:"struck"`
	Strikes []struct {
		Panel int    `json:"panel"`
		Kind  string `json:"kind"`
	} `json:"strikes"`
}

// StartStorm strikes all panels at random, by a seed, for so long.
func (s *Simulator) StartStorm(seed uint64, lasts time.Duration) {
	s.t.Helper()
	var storm Storm
	require.NoError(s.t, s.call(http.MethodPost, fmt.Sprintf("/storm?ms=%d&seed=%d", lasts.Milliseconds(), seed), &storm))
}

// Storm tells of the storm that was started last.
func (s *Simulator) Storm() Storm {
	s.t.Helper()
	var storm Storm
	require.NoError(s.t, s.call(http.MethodGet, "/storm", &storm))
	return storm
}

func (s *Simulator) call(method, path string, answer any) error {
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, nil)
	if err != nil {
		return err
	}
	res, err := control.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %s", method, path, res.Status, body)
	}
	return json.Unmarshal(body, answer)
}
