package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"dozor/internal/ids"
	"dozor/satel"
	"dozor/satel/sim"
)

// simulator is the control API of simulated panels. They are numbered from 1.
type simulator struct {
	base string
	http *http.Client
}

func newSimulator(base string) *simulator {
	return &simulator{base: strings.TrimRight(base, "/"), http: newClient()}
}

func (s *simulator) close() { s.http.CloseIdleConnections() }

func (s *simulator) call(ctx context.Context, method, path string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, method, s.base+path, nil)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return answerOf(s.http, request, answer)
}

// address is where a panel is reached.
type address struct {
	host string
	port int
}

func parseAddress(text string) (address, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return address{}, fmt.Errorf("read the address of a panel: %w", err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return address{}, fmt.Errorf("read the address of a panel: %w", err)
	}
	return address{host, n}, nil
}

// panels returns the addresses of all panels, the first one's first.
func (s *simulator) panels(ctx context.Context) ([]address, error) {
	var list struct {
		Panels []struct {
			Address string `json:"address"`
		} `json:"panels"`
	}
	if err := s.call(ctx, http.MethodGet, "/panels", &list); err != nil {
		return nil, err
	}
	addresses := make([]address, 0, len(list.Panels))
	for _, p := range list.Panels {
		at, err := parseAddress(p.Address)
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, at)
	}
	return addresses, nil
}

// happened is an event as the control API tells it.
type happened struct {
	Sequence   uint64    `json:"sequence"`
	Code       int       `json:"code"`
	Restore    bool      `json:"restore"`
	SourceKind string    `json:"source_kind"`
	Source     int       `json:"source"`
	HappenedAt time.Time `json:"happened_at"`
}

func (h happened) truth(panel ids.PanelID) truth {
	t := truth{signature{panel: panel, code: h.Code, restore: h.Restore}, h.HappenedAt}
	if h.SourceKind == string(satel.SourceZone) {
		t.zone = h.Source
	}
	return t
}

// events returns what a panel's memory has recorded after a sequence.
func (s *simulator) events(ctx context.Context, panel int, after uint64) ([]happened, error) {
	var journal struct {
		Events []happened `json:"events"`
	}
	err := s.call(ctx, http.MethodGet, fmt.Sprintf("/panels/%d/events?after=%d", panel, after), &journal)
	return journal.Events, err
}

// newest is the sequence of a panel's newest record, 0 of an empty memory.
func (s *simulator) newest(ctx context.Context, panel int) (uint64, error) {
	var status struct {
		Newest *happened `json:"newest"`
	}
	if err := s.call(ctx, http.MethodGet, fmt.Sprintf("/panels/%d", panel), &status); err != nil || status.Newest == nil {
		return 0, err
	}
	return status.Newest.Sequence, nil
}

// alwaysAlarming are reactions that alarm whether or not a partition is armed.
var alwaysAlarming = map[sim.Reaction]bool{
	sim.Tamper24h: true, sim.PanicAudible: true, sim.PanicSilent: true, sim.MedicalButton: true, sim.Fire24h: true,
	sim.Smoke24h: true, sim.Gas24h: true, sim.WaterLeak24h: true, sim.TooHot24h: true, sim.Burglary24h: true,
}

// zones are those of a panel that alarm at any time and stand closed now.
func (s *simulator) zones(ctx context.Context, panel int) ([]int, error) {
	var state struct {
		Zones []struct {
			Number   int  `json:"number"`
			Reaction int  `json:"reaction"`
			Violated bool `json:"violated"`
			Bypassed bool `json:"bypassed"`
		} `json:"zones"`
	}
	if err := s.call(ctx, http.MethodGet, fmt.Sprintf("/panels/%d", panel), &state); err != nil {
		return nil, err
	}
	var zones []int
	for _, z := range state.Zones {
		if alwaysAlarming[sim.Reaction(z.Reaction)] && !z.Violated && !z.Bypassed {
			zones = append(zones, z.Number)
		}
	}
	if len(zones) == 0 {
		return nil, fmt.Errorf("panel %d has no zone that alarms at any time and stands closed", panel)
	}
	return zones, nil
}

// asked counts how often a panel was asked something.
func (s *simulator) asked(ctx context.Context, panel int, cmd satel.Command) (int, error) {
	var seen struct {
		Connections []struct {
			Requests map[string]int `json:"requests"`
		} `json:"connections"`
	}
	if err := s.call(ctx, http.MethodGet, fmt.Sprintf("/panels/%d/connections", panel), &seen); err != nil {
		return 0, err
	}
	n := 0
	for _, c := range seen.Connections {
		n += c.Requests[cmd.String()]
	}
	return n, nil
}

// acted is the last sequence that an act has caused, 0 when it caused nothing.
type acted struct {
	Last uint64 `json:"last_sequence"`
}

func (s *simulator) zone(ctx context.Context, panel, zone int, violate bool) (acted, error) {
	act := "restore"
	if violate {
		act = "violate"
	}
	var answer acted
	err := s.call(ctx, http.MethodPost, fmt.Sprintf("/panels/%d/zones/%d/%s", panel, zone, act), &answer)
	return answer, err
}

func (s *simulator) burst(ctx context.Context, panel, events int) (acted, error) {
	var answer acted
	query := url.Values{"events": {strconv.Itoa(events)}, "kind": {string(sim.BurstAlarms)}}
	err := s.call(ctx, http.MethodPost, fmt.Sprintf("/panels/%d/burst?%s", panel, query.Encode()), &answer)
	return answer, err
}
