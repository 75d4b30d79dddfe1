package room

import "time"

// View is what the page shows.
type View struct {
	Time       time.Time         `json:"time"`
	Components []ComponentView   `json:"components"`
	Gauges     map[string]string `json:"gauges"` // those that are not in it did not answer
	Alarms     Alarms            `json:"alarms"`
	Journal    []Entry           `json:"journal"`
}

// ComponentView is a component as it is now.
type ComponentView struct {
	ID    string    `json:"id"`
	Kind  Kind      `json:"kind"`
	State State     `json:"state"`
	PID   int       `json:"pid,omitempty"`
	Since time.Time `json:"since"` // when the room saw that
	Doing Act       `json:"doing,omitempty"`
	URL   string    `json:"url,omitempty"`
	Acts  []Act     `json:"acts"` // that can be ordered now
	// Answered: it answered the last question, after Millis; Problem may say why not.
	Answered bool    `json:"answered"`
	Millis   float64 `json:"ms,omitempty"`
	Problem  string  `json:"problem,omitempty"`
	// Unready is what keeps it from serving.
	Unready string `json:"unready,omitempty"`
	// Sees is how it sees other parts.
	Sees []Sight `json:"sees,omitempty"`
	// Hears: the room's own subscription through it stands.
	Hears bool `json:"hears,omitempty"`
}

func (r *Room) view() View {
	now := time.Now()
	v := View{Time: now.UTC(), Gauges: map[string]string{}, Alarms: r.alarms.read(now), Journal: r.journal.read()}
	for _, w := range r.components {
		v.Components = append(v.Components, w.view())
	}
	for _, g := range r.gauges {
		g.mu.Lock()
		if g.value != nil {
			v.Gauges[g.ID] = *g.value
		}
		g.mu.Unlock()
	}
	return v
}

func (w *watched) view() ComponentView {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := ComponentView{
		ID: w.ID, Kind: w.Kind, State: w.state, PID: w.pid, Since: w.since.UTC(), Doing: w.doing, URL: w.URL, Acts: []Act{},
		Problem: w.problem, Hears: w.hears,
	}
	if w.doing == "" {
		for _, act := range Acts {
			if act.suits(w.state) {
				v.Acts = append(v.Acts, act)
			}
		}
	}
	if w.answer != nil && w.state == Running {
		v.Answered, v.Millis, v.Unready, v.Sees = true, w.millis, w.answer.Unready, w.answer.Sights
	}
	return v
}
