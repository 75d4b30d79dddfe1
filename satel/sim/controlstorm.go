package sim

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// stormView is a storm with its truth.
type stormView struct {
	Seed    uint64           `json:"seed"`
	MS      int64            `json:"ms"`
	Running bool             `json:"running"`
	Struck  int              `json:"struck"`
	Strikes []strikeView     `json:"strikes"`
	Panels  []stormPanelView `json:"panels"`
}

type strikeView struct {
	AtMS   int64      `json:"at_ms"`
	ForMS  int64      `json:"for_ms,omitempty"`
	Panel  int        `json:"panel"`
	Kind   StrikeKind `json:"kind"`
	Zone   int        `json:"zone,omitempty"`
	JumpMS int64      `json:"jump_ms,omitempty"`
}

// stormPanelView says which records a panel was given since the storm began: those after Before up to Newest.
type stormPanelView struct {
	Panel  int    `json:"panel"`
	Before uint64 `json:"before_sequence"`
	Newest uint64 `json:"newest_sequence"`
}

func (s *Server) startStorm(w http.ResponseWriter, r *http.Request) {
	ms, err := strconv.ParseInt(r.FormValue("ms"), 10, 64)
	seed, err2 := uint64(1), error(nil)
	if text := r.FormValue("seed"); text != "" {
		seed, err2 = strconv.ParseUint(text, 10, 64)
	}
	if err != nil || err2 != nil || ms > longestStorm.Milliseconds() {
		writeError(w, fmt.Errorf("%w: a storm needs ms, how many milliseconds, and takes a seed", ErrInvalid))
		return
	}
	if err := s.StartStorm(seed, time.Duration(ms)*time.Millisecond); err != nil {
		writeError(w, err)
		return
	}
	s.showStorm(w, r)
}

func (s *Server) endStorm(w http.ResponseWriter, r *http.Request) {
	s.EndStorm()
	s.showStorm(w, r)
}

func (s *Server) showStorm(w http.ResponseWriter, _ *http.Request) {
	report, there := s.Storm()
	if !there {
		writeError(w, fmt.Errorf("%w: there was no storm", ErrNotFound))
		return
	}
	v := stormView{
		Seed: report.Seed, MS: report.Length.Milliseconds(), Running: report.Running, Struck: report.Struck,
		Strikes: make([]strikeView, 0, len(report.Strikes)), Panels: make([]stormPanelView, 0, len(s.panels)),
	}
	for _, strike := range report.Strikes {
		v.Strikes = append(v.Strikes, strikeView{
			AtMS: strike.At.Milliseconds(), ForMS: strike.For.Milliseconds(), Panel: strike.Panel, Kind: strike.Kind,
			Zone: strike.Zone, JumpMS: strike.Jump.Milliseconds(),
		})
	}
	for i, p := range s.panels {
		newest, _ := p.Newest()
		v.Panels = append(v.Panels, stormPanelView{i + 1, report.Before[i], newest.Sequence})
	}
	writeJSON(w, http.StatusOK, v)
}
