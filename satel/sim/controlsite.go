package sim

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"dozor/satel"
)

// siteRoutes are the calls of the control API by which an installer's and a master's work is done.
var siteRoutes = map[string]func(*call) (any, error){
	"PATCH /panels/{n}/names/{type}/{number}":  changeObject,
	"PUT /panels/{n}/users/{u}":                setUser,
	"DELETE /panels/{n}/users/{u}":             removeUser,
	"POST /panels/{n}/zones/{z}/temperature":   setTemperature,
	"DELETE /panels/{n}/zones/{z}/temperature": removeThermometer,
	"POST /panels/{n}/doors/{address}/{act}":   actOnDoor,
	"POST /panels/{n}/service/{act}":           actOnService,
	"POST /panels/{n}/clock":                   moveClock,
	"POST /panels/{n}/memory/fill":             fillMemory,
}

// objectWords are the types of objects whose names can be changed.
var objectWords = map[string]satel.ObjectType{
	"partition": satel.NamePartition, "zone": satel.NameZone, "user": satel.NameUser, "device": satel.NameDevice,
	"output": satel.NameOutput, "timer": satel.NameTimer, "phone": satel.NamePhone, "object": satel.NameObject,
}

func changeObject(c *call) (any, error) {
	kind, known := objectWords[c.PathValue("type")]
	number, err := c.path("number", "object")
	if err != nil || !known {
		return nil, fmt.Errorf("%w: %s %s", ErrNotFound, c.PathValue("type"), c.PathValue("number"))
	}
	var change Change
	if err := c.body(&change); err != nil {
		return nil, err
	}
	return c.acted(nil, c.panel.Change(kind, number, change))
}

func setUser(c *call) (any, error) {
	number, err := c.path("u", "user")
	if err != nil {
		return nil, err
	}
	var body struct {
		Name, Code        string
		Rights            []string
		Partitions, Locks []int
		Duress            bool
	}
	if err := c.body(&body); err != nil {
		return nil, err
	}
	rights, err := ParseRights(body.Rights...)
	if err != nil {
		return nil, err
	}
	return c.acted(nil, c.panel.SetUser(User{
		Number: number, Name: body.Name, Code: body.Code, Rights: rights, Partitions: body.Partitions, Locks: body.Locks,
		Duress: body.Duress,
	}))
}

func removeUser(c *call) (any, error) {
	number, err := c.path("u", "user")
	if err != nil {
		return nil, err
	}
	return c.acted(nil, c.panel.RemoveUser(number))
}

func setTemperature(c *call) (any, error) {
	zone, err := c.path("z", "zone")
	if err != nil {
		return nil, err
	}
	shown := Temperature{Measured: true}
	if text := c.FormValue("celsius"); text == "unknown" {
		shown.Measured = false
	} else if shown.Celsius, err = strconv.ParseFloat(text, 64); err != nil {
		return nil, fmt.Errorf("%w: celsius must be a number or unknown, not %q", ErrInvalid, text)
	}
	return c.acted(nil, c.panel.SetThermometer(zone, &shown))
}

func removeThermometer(c *call) (any, error) {
	zone, err := c.path("z", "zone")
	if err != nil {
		return nil, err
	}
	return c.acted(nil, c.panel.SetThermometer(zone, nil))
}

func actOnDoor(c *call) (any, error) {
	address, err := c.path("address", "expander")
	if err != nil {
		return nil, err
	}
	state, known := map[string]DoorState{"open": DoorOpen, "close": DoorClosed, "long": DoorOpenTooLong}[c.PathValue("act")]
	if !known {
		return nil, c.unknownAct("open, close, long")
	}
	return c.acted(c.panel.SetDoor(address, state))
}

func actOnService(c *call) (any, error) {
	switch c.PathValue("act") {
	case "on":
		return c.acted(c.panel.SetService(true), nil)
	case "off":
		return c.acted(c.panel.SetService(false), nil)
	default:
		return nil, c.unknownAct("on, off")
	}
}

func moveClock(c *call) (any, error) {
	ms, err := strconv.ParseInt(c.FormValue("jump"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: jump is how many milliseconds, negative for back", ErrInvalid)
	}
	c.panel.JumpClock(time.Duration(ms) * time.Millisecond)
	return c.acted(nil, nil)
}

func fillMemory(c *call) (any, error) {
	n, err := c.query("records")
	if err != nil {
		return nil, err
	}
	if n == 0 {
		n = c.panel.memory.capacity + 1
	}
	return c.acted(c.panel.Fill(n))
}

// register adds routes about one panel.
func (s *Server) register(mux *http.ServeMux, routes map[string]func(*call) (any, error)) {
	for pattern, view := range routes {
		mux.HandleFunc(pattern, s.serve(view))
	}
}
