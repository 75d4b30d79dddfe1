package redislive

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dozor/internal/ids"
	"dozor/internal/live"
)

// The hashes of a panel, in the order in which the scripts get them.
var hashes = [...]string{"session", "zones", "partitions", "outputs", "troubles"}

// hashKeys are the keys of a panel's hashes.
func hashKeys(panel ids.PanelID) []string {
	keys := make([]string, len(hashes))
	for i, h := range hashes {
		keys[i] = "panel:" + strconv.FormatInt(int64(panel), 10) + ":" + h
	}
	return keys
}

// numberLists are the fields that hold numbers of parts, joined by commas, by their hash.
var numberLists = map[string][]struct {
	field string
	of    func(*live.PanelState) *[]int
}{
	"zones": {
		{"violated", func(s *live.PanelState) *[]int { return &s.ZonesViolated }},
		{"tampered", func(s *live.PanelState) *[]int { return &s.ZonesTampered }},
		{"alarm", func(s *live.PanelState) *[]int { return &s.ZonesAlarm }},
		{"tamper_alarm", func(s *live.PanelState) *[]int { return &s.ZonesTamperAlarm }},
		{"alarm_memory", func(s *live.PanelState) *[]int { return &s.ZonesAlarmMemory }},
		{"bypassed", func(s *live.PanelState) *[]int { return &s.ZonesBypassed }},
		{"tamper_memory", func(s *live.PanelState) *[]int { return &s.ZonesTamperMemory }},
		{"isolated", func(s *live.PanelState) *[]int { return &s.ZonesIsolated }},
		{"no_violation", func(s *live.PanelState) *[]int { return &s.ZonesNoViolation }},
		{"long_violation", func(s *live.PanelState) *[]int { return &s.ZonesLongViolation }},
		{"masked", func(s *live.PanelState) *[]int { return &s.ZonesMasked }},
		{"masked_memory", func(s *live.PanelState) *[]int { return &s.ZonesMaskedMemory }},
	},
	"partitions": {
		{"armed", func(s *live.PanelState) *[]int { return &s.Armed }},
		{"armed_mode1", func(s *live.PanelState) *[]int { return &s.ArmedMode1 }},
		{"armed_mode2", func(s *live.PanelState) *[]int { return &s.ArmedMode2 }},
		{"armed_mode3", func(s *live.PanelState) *[]int { return &s.ArmedMode3 }},
		{"entry_time", func(s *live.PanelState) *[]int { return &s.EntryTime }},
		{"exit_time", func(s *live.PanelState) *[]int { return &s.ExitTime }},
		{"alarm", func(s *live.PanelState) *[]int { return &s.PartitionsAlarm }},
		{"fire", func(s *live.PanelState) *[]int { return &s.PartitionsFire }},
		{"alarm_memory", func(s *live.PanelState) *[]int { return &s.AlarmMemory }},
		{"fire_memory", func(s *live.PanelState) *[]int { return &s.FireMemory }},
		{"verified", func(s *live.PanelState) *[]int { return &s.PartitionsVerified }},
		{"warning", func(s *live.PanelState) *[]int { return &s.PartitionsWarning }},
		{"first_code", func(s *live.PanelState) *[]int { return &s.FirstCode }},
		{"blocked", func(s *live.PanelState) *[]int { return &s.Blocked }},
	},
	"outputs": {
		{"on", func(s *live.PanelState) *[]int { return &s.OutputsOn }},
		{"doors_open", func(s *live.PanelState) *[]int { return &s.DoorsOpen }},
		{"doors_long", func(s *live.PanelState) *[]int { return &s.DoorsLong }},
	},
}

// encodeState appends what put_states.lua wants of one panel. Fields that are empty are
// left out.
func encodeState(args []any, s *live.PanelState) ([]any, error) {
	args = append(args, int64(s.PanelID), s.Fence, s.Seq, micros(s.AnsweredAt))
	for _, hash := range hashes {
		count := len(args)
		args = append(args, 0)
		switch hash {
		case "session":
			args = appendField(args, "link", string(s.Link))
			args = appendField(args, "link_reason", s.LinkReason)
			args = appendField(args, "model", s.Model)
			args = appendField(args, "version", s.Version)
			if !s.ChangedAt.IsZero() {
				args = append(args, "changed_at", micros(s.ChangedAt))
			}
			args = appendField(args, "module", s.Module)
			args = appendField(args, "news", string(s.News))
			args = appendField(args, "holder", s.Holder)
			if s.Reach != 0 {
				args = append(args, "reach", s.Reach)
			}
			if s.Trying != nil {
				trying, err := json.Marshal(s.Trying)
				if err != nil {
					return nil, fmt.Errorf("encode how panel %d is tried: %w", s.PanelID, err)
				}
				args = append(args, "trying", trying)
			}
			args = append(args, "clock_offset_ms", s.ClockOffsetMS, "service_mode", s.ServiceMode)
		case "troubles":
			for _, names := range []struct {
				field string
				list  []string
			}{{"active", s.Troubles}, {"memory", s.TroubleMemory}} {
				if len(names.list) == 0 {
					continue
				}
				list, err := json.Marshal(names.list)
				if err != nil {
					return nil, fmt.Errorf("encode the troubles of panel %d: %w", s.PanelID, err)
				}
				args = append(args, names.field, list)
			}
		default:
			for _, list := range numberLists[hash] {
				args = appendField(args, list.field, joinNumbers(*list.of(s)))
			}
		}
		args[count] = len(args) - count - 1
	}
	return args, nil
}

func appendField(args []any, name, value string) []any {
	if value == "" {
		return args
	}
	return append(args, name, value)
}

func joinNumbers(numbers []int) string {
	var b strings.Builder
	for i, n := range numbers {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}

func splitNumbers(s string) ([]int, error) {
	if s == "" {
		return nil, nil
	}
	numbers := make([]int, 0, strings.Count(s, ",")+1)
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

// wholeness is what a panel's hashes say together.
type wholeness int

const (
	absent wholeness = iota // no hash at all
	torn                    // one is missing, or they are not of one (fence, seq)
	whole
)

// judge compares the hashes of a panel, in their order.
func judge(parts []map[string]string) wholeness {
	have := 0
	for _, p := range parts {
		if len(p) > 0 {
			have++
		}
	}
	if have == 0 {
		return absent
	}
	for _, p := range parts {
		if p["fence"] == "" || p["seq"] == "" || p["fence"] != parts[0]["fence"] || p["seq"] != parts[0]["seq"] {
			return torn
		}
	}
	return whole
}

// decodeState reads whole hashes of a panel.
func decodeState(panel ids.PanelID, parts []map[string]string) (live.PanelState, error) {
	s := live.PanelState{PanelID: panel}
	for i, hash := range hashes {
		if err := decodePart(&s, hash, parts[i]); err != nil {
			return s, fmt.Errorf("decode the %s of panel %d: %w", hash, panel, err)
		}
	}
	return s, nil
}

func decodePart(s *live.PanelState, hash string, part map[string]string) (err error) {
	switch hash {
	case "session":
		return decodeSession(s, part)
	case "troubles":
		for field, to := range map[string]*[]string{"active": &s.Troubles, "memory": &s.TroubleMemory} {
			if names := part[field]; names != "" {
				if err := json.Unmarshal([]byte(names), to); err != nil {
					return fmt.Errorf("%s: %w", field, err)
				}
			}
		}
		return nil
	default:
		for _, list := range numberLists[hash] {
			if *list.of(s), err = splitNumbers(part[list.field]); err != nil {
				return fmt.Errorf("%s: %w", list.field, err)
			}
		}
		return nil
	}
}

func decodeSession(s *live.PanelState, part map[string]string) error {
	s.Link, s.LinkReason, s.Model, s.Version = live.Link(part["link"]), part["link_reason"], part["model"], part["version"]
	s.Module, s.News, s.Holder = part["module"], live.News(part["news"]), part["holder"]
	s.ServiceMode = part["service_mode"] == "1"
	if trying := part["trying"]; trying != "" {
		if err := json.Unmarshal([]byte(trying), &s.Trying); err != nil {
			return fmt.Errorf("trying: %w", err)
		}
	}
	var answered, changed int64
	for field, to := range map[string]*int64{
		"fence": &s.Fence, "seq": &s.Seq, "answered_at": &answered, "changed_at": &changed, "clock_offset_ms": &s.ClockOffsetMS, "reach": &s.Reach,
	} {
		text := part[field]
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		*to = n
	}
	s.AnsweredAt, s.ChangedAt = instant(answered), instant(changed)
	return nil
}

// micros is how instants stand in Redis: microseconds since 1970, 0 for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
