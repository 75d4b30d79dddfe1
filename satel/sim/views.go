package sim

import (
	"encoding/hex"
	"net/http"
	"time"
)

// clockFormat is how a panel's clock is written: without a zone, since the panel tells none.
const clockFormat = "2006-01-02T15:04:05"

// statusView is what every answer about a panel carries.
type statusView struct {
	Panel      int        `json:"panel"`
	PanelClock string     `json:"panel_clock"`
	At         string     `json:"at"`
	Newest     *eventView `json:"newest"` // null while the memory is empty
}

// eventView is an event with everything that is known about it.
type eventView struct {
	Sequence   uint64 `json:"sequence"`
	Index      string `json:"index"`
	Record     string `json:"record"` // as first written
	Code       int    `json:"code"`
	Restore    bool   `json:"restore"`
	Class      string `json:"class"`
	Partition  int    `json:"partition,omitempty"`
	SourceKind string `json:"source_kind,omitempty"`
	Source     int    `json:"source,omitempty"`
	Text       string `json:"text"`
	PanelClock string `json:"panel_clock"`
	HappenedAt string `json:"happened_at"`
	RecordedAt string `json:"recorded_at"`
}

// actView answers an act. Sequences are 0 when it caused no event.
type actView struct {
	statusView
	First  uint64      `json:"first_sequence"`
	Last   uint64      `json:"last_sequence"`
	Events []eventView `json:"events"` // left out when there are more than shownEvents
}

const shownEvents = 1000

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func newStatusView(c *call) statusView {
	v := statusView{
		Panel: c.number, PanelClock: c.panel.Clock().Format(clockFormat), At: stamp(c.panel.cfg.Now()),
	}
	if e, ok := c.panel.Newest(); ok {
		newest := c.event(e)
		v.Newest = &newest
	}
	return v
}

func newActView(c *call, events []Event) actView {
	v := actView{statusView: newStatusView(c), Events: []eventView{}}
	if len(events) == 0 {
		return v
	}
	v.First, v.Last = events[0].Sequence, events[len(events)-1].Sequence
	if len(events) <= shownEvents {
		v.Events = c.events(events)
	}
	return v
}

func (c *call) events(events []Event) []eventView {
	views := make([]eventView, 0, len(events))
	for _, e := range events {
		views = append(views, c.event(e))
	}
	return views
}

func (c *call) event(e Event) eventView {
	read := e.Record.Decode(c.panel.model)
	return eventView{
		Sequence: e.Sequence, Index: e.Index.String(), Record: e.Record.String(), Code: read.Code, Restore: read.Restore,
		Class: read.Class.String(), Partition: read.Partition, SourceKind: string(read.Source.Kind),
		Source: read.Source.Index, Text: read.Info.TextEN, PanelClock: e.PanelClock.Format(clockFormat),
		HappenedAt: stamp(e.HappenedAt), RecordedAt: stamp(e.RecordedAt),
	}
}

type panelView struct {
	statusView
	Address string `json:"address"`
	State
}

func newPanelView(c *call) panelView {
	return panelView{newStatusView(c), c.server.PanelAddr(c.number), c.panel.State()}
}

func showState(c *call) (any, error) { return newPanelView(c), nil }

// summaryView is a panel in the list of all.
type summaryView struct {
	statusView
	Address   string `json:"address"`
	Model     string `json:"model"`
	Name      string `json:"name"`
	Link      string `json:"link"`
	Connected bool   `json:"connected"`
}

func (s *Server) listPanels(w http.ResponseWriter, r *http.Request) {
	views := make([]summaryView, 0, len(s.panels))
	for i, p := range s.panels {
		c := &call{Request: r, server: s, number: i + 1, panel: p}
		state := p.State()
		views = append(views, summaryView{
			newStatusView(c), s.PanelAddr(i + 1), state.Model, state.Name, state.Link, state.Connected,
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"panels": views})
}

type eventsView struct {
	statusView
	Events []eventView `json:"events"`
}

func showEvents(c *call) (any, error) {
	after, err := c.query("after")
	if err != nil {
		return nil, err
	}
	limit, err := c.query("limit")
	if err != nil {
		return nil, err
	}
	return eventsView{newStatusView(c), c.events(c.panel.Events(uint64(after), limit))}, nil
}

type connectionsView struct {
	statusView
	Connections []connectionView `json:"connections"`
	Rivals      [][2]int         `json:"rivals"` // connections that made requests in the same time
	Commands    []commandView    `json:"commands"`
}

type connectionView struct {
	ID       int            `json:"id"`
	Remote   string         `json:"remote"`
	OpenedAt string         `json:"opened_at"`
	ClosedAt string         `json:"closed_at,omitempty"`
	Ended    string         `json:"ended,omitempty"`
	Busy     bool           `json:"busy"`
	Requests map[string]int `json:"requests"`
	FirstAt  string         `json:"first_at,omitempty"`
	LastAt   string         `json:"last_at,omitempty"`
	Answers  int            `json:"answers"`
	Pushed   int            `json:"pushed"`
	Lost     int            `json:"lost"`
	Damaged  int            `json:"damaged"`
	Recent   []requestView  `json:"recent"`
}

type requestView struct {
	At      string `json:"at"`
	Command string `json:"command"`
	Data    string `json:"data"`
	Fate    Fate   `json:"fate"`
}

type commandView struct {
	At         string `json:"at"`
	Connection int    `json:"connection"`
	Command    string `json:"command"`
	User       int    `json:"user,omitempty"`
	Partitions []int  `json:"partitions,omitempty"`
	Zones      []int  `json:"zones,omitempty"`
	Outputs    []int  `json:"outputs,omitempty"`
	Expanders  []int  `json:"expanders,omitempty"`
	Result     string `json:"result"`
	ResultCode int    `json:"result_code"`
}

func showConnections(c *call) (any, error) {
	v := connectionsView{statusView: newStatusView(c), Connections: []connectionView{}, Commands: []commandView{}}
	connections := c.panel.Connections()
	v.Rivals = append([][2]int{}, Rivals(connections)...)
	for _, seen := range connections {
		v.Connections = append(v.Connections, newConnectionView(seen))
	}
	for _, cmd := range c.panel.Commands() {
		v.Commands = append(v.Commands, commandView{
			At: stamp(cmd.At), Connection: cmd.Connection, Command: cmd.Command.String(), User: cmd.User, Partitions: cmd.Partitions, Zones: cmd.Zones,
			Outputs: cmd.Outputs, Expanders: cmd.Expanders, Result: cmd.Result.String(), ResultCode: int(cmd.Result),
		})
	}
	return v, nil
}

func newConnectionView(seen Connection) connectionView {
	v := connectionView{
		ID: seen.ID, Remote: seen.Remote, OpenedAt: stamp(seen.OpenedAt), Ended: seen.Ended, Busy: seen.Busy,
		Requests: map[string]int{}, Answers: seen.Answers, Pushed: seen.Pushed, Lost: seen.Lost, Damaged: seen.Damaged,
		Recent: []requestView{},
	}
	if !seen.ClosedAt.IsZero() {
		v.ClosedAt = stamp(seen.ClosedAt)
	}
	if !seen.FirstAt.IsZero() {
		v.FirstAt, v.LastAt = stamp(seen.FirstAt), stamp(seen.LastAt)
	}
	for cmd, n := range seen.Requests {
		v.Requests[cmd.String()] = n
	}
	for _, r := range seen.Recent {
		v.Recent = append(v.Recent, requestView{
			At: stamp(r.At), Command: r.Command.String(), Data: hex.EncodeToString(r.Data), Fate: r.Fate,
		})
	}
	return v
}
