package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// ControlHandler returns the control API: what happens to the panels, and the truth about what happened. It has no
// access control of its own, so it is for addresses that only those reach who may do everything.
//
// Panels are numbered from 1. Every answer about a panel carries its clock, the true time, and the event written last.
// Acts answer with the events that they cause at once, those still waiting for their log delay with the time when they
// will be in the memory. Times given as ms are milliseconds.
//
//	GET    /panels                                   all panels
//	GET    /panels/{n}                               state
//	GET    /panels/{n}/events?after=SEQ&limit=N      everything the memory has ever recorded, also what it has lost
//	GET    /panels/{n}/connections                   who connected, what was asked, what was commanded
//	POST   /panels/{n}/zones/{z}/violate|restore|tamper
//	POST   /panels/{n}/partitions/{p}/arm            ?mode=0..3&force=true&user=N
//	POST   /panels/{n}/partitions/{p}/disarm|clear   ?user=N
//	POST   /panels/{n}/partitions/{p}/panic
//	POST   /panels/{n}/trouble/{name}                see TroubleNames; every other as expander_ac.5, jam_level.2=40
//	DELETE /panels/{n}/trouble/{name}
//	POST   /panels/{n}/link/drop|hang|garble|lossy   ?ms=N, otherwise until restored
//	POST   /panels/{n}/link/slow?delay=MS            the same; answers leave so much later
//	POST   /panels/{n}/link/restore
//	POST   /panels/{n}/link/hangup                   closes the connection, the next is taken
//	POST   /panels/{n}/link/halfopen                 the client vanishes, its place is kept until the idle limit
//	POST   /panels/{n}/clients?policy=one|first-out|many
//	POST   /panels/{n}/key                           {"encrypted": true, "key": "...", "wrong": "silent" or "close"}; a key
//	                                                 alone encrypts, {} ends encryption; also as a query
//	POST   /panels/{n}/burst?events=N                &kind=alarm (standard) or mixed
//	POST   /panels/{n}/log/late?ms=N | missing | normal
//	POST   /panels/{n}/memory/erase
//	POST   /panels/{n}/memory/fill?records=N         records of no meaning; the standard lets the memory wrap
//	POST   /panels/{n}/clock?jump=MS                 moves the panel's clock, back when negative, without a record
//	POST   /panels/{n}/service/on|off                service mode
//	POST   /panels/{n}/zones/{z}/temperature?celsius=21.5   or unknown: the zone has a thermometer
//	DELETE /panels/{n}/zones/{z}/temperature
//	POST   /panels/{n}/doors/{address}/open|long|close      of the expander at the address, from 0
//	PATCH  /panels/{n}/names/{type}/{number}         {"name": "...", "function": 5, "partition": 2}; types are partition, zone,
//	                                                 user, device, output, timer, phone, object; function is a zone's reaction,
//	                                                 an output's function or what the panel tells of the others
//	PUT    /panels/{n}/users/{u}                     {"name": "...", "code": "...", "rights": ["arm", ...], "partitions": [1],
//	                                                 "locks": [0], "duress": false}; see ParseRights; the code is never shown
//	DELETE /panels/{n}/users/{u}
//	POST   /panels/{n}/restart
//
//	POST   /storm?ms=N&seed=S                        strikes all panels at random, see Server.StartStorm
//	GET    /storm                                    its plan, how far it is, and which records came since it began
//	DELETE /storm                                    ends it before its time
//
// ServerConfig.Routes are reached beside these.
//
// Refusals are JSON too: {"error": "..."} with 400 for what makes no sense, 404 for what is not there, 409 for what the
// panel would not do.
func (s *Server) ControlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /panels", s.listPanels)
	mux.HandleFunc("POST /storm", s.startStorm)
	mux.HandleFunc("GET /storm", s.showStorm)
	mux.HandleFunc("DELETE /storm", s.endStorm)
	for pattern, view := range map[string]func(*call) (any, error){
		"GET /panels/{n}":                       showState,
		"GET /panels/{n}/events":                showEvents,
		"GET /panels/{n}/connections":           showConnections,
		"POST /panels/{n}/zones/{z}/{act}":      actOnZone,
		"POST /panels/{n}/partitions/{p}/{act}": actOnPartition,
		"POST /panels/{n}/trouble/{name}":       startTrouble,
		"DELETE /panels/{n}/trouble/{name}":     endTrouble,
		"POST /panels/{n}/link/{act}":           actOnLink,
		"POST /panels/{n}/clients":              setClients,
		"POST /panels/{n}/key":                  setKey,
		"POST /panels/{n}/burst":                burst,
		"POST /panels/{n}/log/{act}":            actOnLog,
		"POST /panels/{n}/memory/erase":         eraseMemory,
		"POST /panels/{n}/restart":              restart,
	} {
		mux.HandleFunc(pattern, s.serve(view))
	}
	s.register(mux, siteRoutes)
	for pattern, handler := range s.routes {
		mux.Handle(pattern, handler)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, fmt.Errorf("%w: %s %s", errNoPath, r.Method, r.URL.Path))
	})
	return mux
}

var errNoPath = errors.New("no such path or method")

// call is one request about one panel.
type call struct {
	*http.Request
	server *Server
	number int
	panel  *Panel
}

func (s *Server) serve(view func(*call) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		number, err := strconv.Atoi(r.PathValue("n"))
		panel := s.Panel(number)
		if err != nil || panel == nil {
			writeError(w, fmt.Errorf("%w: panel %q, there are 1 to %d", ErrNotFound, r.PathValue("n"), len(s.panels)))
			return
		}
		answer, err := view(&call{Request: r, server: s, number: number, panel: panel})
		if err != nil {
			writeError(w, err)
			return
		}
		writeJSON(w, http.StatusOK, answer)
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only when the client has gone
}

func writeError(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, errNoPath):
		status = http.StatusNotFound
	case errors.Is(err, ErrInvalid):
		status = http.StatusBadRequest
	case errors.Is(err, ErrRefused):
		status = http.StatusConflict
	}
	writeJSON(w, status, map[string]string{"error": err.Error()})
}

// query reads a number that must not be negative; 0 when it is not given.
func (c *call) query(name string) (int, error) {
	text := c.FormValue(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%w: %s must be a whole number from 0, not %q", ErrInvalid, name, text)
	}
	return n, nil
}

func (c *call) path(name, what string) (int, error) {
	n, err := strconv.Atoi(c.PathValue(name))
	if err != nil {
		return 0, fmt.Errorf("%w: %s %q", ErrNotFound, what, c.PathValue(name))
	}
	return n, nil
}

func (c *call) milliseconds() (time.Duration, error) {
	ms, err := c.query("ms")
	return time.Duration(ms) * time.Millisecond, err
}

func (c *call) unknownAct(known string) error {
	return fmt.Errorf("%w: %q, there are %s", errNoPath, c.PathValue("act"), known)
}

// acted answers an act with what it has caused.
func (c *call) acted(events []Event, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return newActView(c, events), nil
}

func actOnZone(c *call) (any, error) {
	zone, err := c.path("z", "zone")
	if err != nil {
		return nil, err
	}
	switch c.PathValue("act") {
	case "violate":
		return c.acted(c.panel.Violate(zone))
	case "restore":
		return c.acted(c.panel.RestoreZone(zone))
	case "tamper":
		return c.acted(c.panel.Tamper(zone))
	default:
		return nil, c.unknownAct("violate, restore, tamper")
	}
}

func actOnPartition(c *call) (any, error) {
	partition, err := c.path("p", "partition")
	if err != nil {
		return nil, err
	}
	user, err := c.query("user")
	if err != nil {
		return nil, err
	}
	switch c.PathValue("act") {
	case "arm":
		mode, err := c.query("mode")
		if err != nil {
			return nil, err
		}
		force := c.FormValue("force")
		forced, err := strconv.ParseBool(force)
		if force != "" && err != nil {
			return nil, fmt.Errorf("%w: force must be true or false, not %q", ErrInvalid, force)
		}
		return c.acted(c.panel.Arm(partition, Arming{Mode: mode, Force: forced, User: user}))
	case "disarm":
		return c.acted(c.panel.Disarm(partition, user))
	case "clear":
		return c.acted(c.panel.ClearAlarm(partition, user))
	case "panic":
		return c.acted(c.panel.Panic(partition))
	default:
		return nil, c.unknownAct("arm, disarm, clear, panic")
	}
}

func startTrouble(c *call) (any, error) { return c.acted(c.panel.StartTrouble(c.PathValue("name"))) }

func endTrouble(c *call) (any, error) { return c.acted(c.panel.EndTrouble(c.PathValue("name"))) }

func actOnLink(c *call) (any, error) {
	d, err := c.milliseconds()
	if err != nil {
		return nil, err
	}
	switch c.PathValue("act") {
	case "drop":
		c.panel.SetLink(LinkDropped, d)
	case "hang":
		c.panel.SetLink(LinkHung, d)
	case "garble":
		c.panel.SetLink(LinkGarbled, d)
	case "lossy":
		c.panel.SetLink(LinkLossy, d)
	case "slow":
		delay, err := c.query("delay")
		if err != nil {
			return nil, err
		}
		c.panel.SlowLink(time.Duration(delay)*time.Millisecond, d)
	case "restore":
		c.panel.SetLink(LinkNormal, 0)
	case "hangup":
		c.panel.HangUp()
	case "halfopen":
		c.panel.HalfOpen()
	default:
		return nil, c.unknownAct("drop, hang, garble, lossy, slow, restore, hangup, halfopen")
	}
	return c.acted(nil, nil)
}

func setClients(c *call) (any, error) {
	policy, err := ParseClientPolicy(c.FormValue("policy"))
	if err != nil {
		return nil, err
	}
	c.panel.SetClients(policy)
	return c.acted(nil, nil)
}

// maxBody bounds what a call may say.
const maxBody = 1 << 16

// body reads the JSON that a call carries, if it carries any.
func (c *call) body(into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(nil, c.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: the body is not the JSON that is wanted", ErrInvalid) // the reason might quote a secret
	}
	return nil
}

func setKey(c *call) (any, error) {
	query := c.URL.Query()
	order := struct {
		Encrypted *bool
		Key       string
		Wrong     string
	}{Key: query.Get("key"), Wrong: query.Get("wrong")}
	if text := query.Get("encrypted"); text != "" {
		encrypted, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("%w: encrypted must be true or false", ErrInvalid)
		}
		order.Encrypted = &encrypted
	}
	if err := c.body(&order); err != nil {
		return nil, err
	}
	encrypted := order.Key != ""
	if order.Encrypted != nil {
		encrypted = *order.Encrypted
	}
	if order.Wrong != "" {
		wrongKey, err := ParseWrongKey(order.Wrong)
		if err != nil {
			return nil, err
		}
		c.panel.SetWrongKey(wrongKey)
	}
	if err := c.panel.SetKey(encrypted, order.Key); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return c.acted(nil, nil)
}

func burst(c *call) (any, error) {
	n, err := c.query("events")
	if err != nil {
		return nil, err
	}
	kind := BurstKind(c.FormValue("kind"))
	if kind == "" {
		kind = BurstAlarms
	}
	return c.acted(c.panel.Burst(n, kind))
}

func actOnLog(c *call) (any, error) {
	late, err := c.milliseconds()
	if err != nil {
		return nil, err
	}
	switch c.PathValue("act") {
	case "late":
		if late == 0 {
			return nil, fmt.Errorf("%w: late needs ms, how many milliseconds", ErrInvalid)
		}
		c.panel.SetLogMode(LogLate, late)
	case "missing":
		c.panel.SetLogMode(LogMissing, 0)
	case "normal":
		c.panel.SetLogMode(LogNormal, 0)
	default:
		return nil, c.unknownAct("late, missing, normal")
	}
	return c.acted(nil, nil)
}

func eraseMemory(c *call) (any, error) { return c.acted([]Event{c.panel.EraseMemory()}, nil) }

func restart(c *call) (any, error) { return c.acted(c.panel.Restart(), nil) }
