package event

import (
	"encoding/json"
	"fmt"
	"time"

	"dozor/internal/wire"
	"dozor/satel"
)

// Describe returns an event's sentence in Polish and in English, from what is stored of
// it: its code (0: none), restore bit and text. words are the panel's own, empty where they
// are not known; only what no table has needs them.
func Describe(code int, restore bool, text, words string) (pl, en string) {
	if info, ok := satel.LookupEvent(code, restore); ok {
		return info.TextPL, info.TextEN
	}
	if code == 0 && text == "" {
		return "Alarm widoczny w stanie centrali, brak zapisu w pamięci", "Alarm seen in the panel's state, without a record"
	}
	var s wire.Station
	if len(text) > 0 && text[0] == '{' && json.Unmarshal([]byte(text), &s) == nil {
		return describeStation(s)
	}
	if words != "" {
		return fmt.Sprintf("%s (zdarzenie %d spoza tabeli, według centrali)", words, code), fmt.Sprintf("%s (event %d of no table, in the panel's words)", words, code)
	}
	return fmt.Sprintf("Nieznane zdarzenie %d (zapis %s)", code, text), fmt.Sprintf("Unknown event %d (record %s)", code, text)
}

// StationText is the text of a station event, which Describe reads; the subject is for
// the key alone.
func StationText(s wire.Station) string {
	s.Subject = ""
	text, err := json.Marshal(s)
	if err != nil {
		// A struct of strings can always be encoded.
		panic("event: encode a station event: " + err.Error())
	}
	return string(text)
}

// describeStation knows these arguments: text and caller (of what a person reported), since (RFC 3339, of a lost link or a
// fault of the station), count (of what a fault is about), reason, and panel (the name of an unreadable event's); those of
// a panel's memory, clock and settings know describeGap, describeClock and describeSettings. Others are left out.
func describeStation(s wire.Station) (pl, en string) {
	switch s.Code {
	case wire.Reported:
		return describeReport(s.Args["text"], s.Args["caller"])
	case wire.LinkLost:
		pl, en = "Brak łączności z centralą", "Link to the panel lost"
	case wire.LinkRestored:
		pl, en = "Łączność z centralą przywrócona", "Link to the panel restored"
	case wire.MemoryGap:
		return describeGap(s.Args)
	case wire.MemoryWasEmpty:
		pl, en = "Pamięć zdarzeń centrali była pusta", "The panel's event memory was empty"
	case wire.Unreadable:
		pl, en = "Nieczytelne zdarzenie", "Unreadable event"
	case wire.NobodyWatches:
		pl, en = "Nikt nie czuwa: żadne stanowisko nie może dać dźwięku", "Nobody watches: no desk can sound"
	case wire.SomebodyWatches:
		pl, en = "Stanowisko znów czuwa", "A desk watches again"
	case wire.IngestLate:
		pl, en = "Zdarzenia przyjmowane z opóźnieniem", "Events are taken in late"
	case wire.IngestOnTime:
		pl, en = "Zdarzenia znów przyjmowane na bieżąco", "Events are taken in on time again"
	case wire.RelayLate:
		pl, en = "Powiadomienia rozsyłane z opóźnieniem", "Notifications go out late"
	case wire.RelayOnTime:
		pl, en = "Powiadomienia znów rozsyłane na bieżąco", "Notifications go out on time again"
	case wire.WorkerGone:
		pl, en = "Centrale bez obsługi, nikt ich nie odpytuje", "Panels are attended by no worker"
	case wire.WorkerBack:
		pl, en = "Wszystkie centrale znów odpytywane", "All panels are attended again"
	case wire.DatabaseSlow:
		pl, en = "Baza danych odpowiada zbyt wolno", "The database answers too slowly"
	case wire.DatabaseOnTime:
		pl, en = "Baza danych znów odpowiada na czas", "The database answers on time again"
	case wire.ClockWrong:
		return describeClock(s.Args["offset_s"])
	case wire.ClockRight:
		pl, en = "Zegar centrali znów dobry", "The panel's clock is right again"
	case wire.SettingsChanged:
		return describeSettings(s.Args)
	default:
		pl, en = "Nieznane zdarzenie stacji: "+string(s.Code), "Unknown event of the station: "+string(s.Code)
	}
	if panel := s.Args["panel"]; panel != "" && s.Code == wire.Unreadable {
		pl, en = pl+" z centrali "+panel, en+" from panel "+panel
	}
	if count := s.Args["count"]; count != "" {
		pl, en = pl+": "+count, en+": "+count
	}
	if since, err := time.Parse(time.RFC3339, s.Args["since"]); err == nil && hasBegun(s.Code) {
		at := since.In(PanelZone()).Format("2006-01-02 15:04:05")
		pl, en = pl+" od "+at, en+" since "+at
	}
	if reason := s.Args["reason"]; reason != "" {
		pl, en = pl+" ("+reason+")", en+" ("+reason+")"
	}
	return pl, en
}

// hasBegun reports whether a code tells of something that goes on since an instant.
func hasBegun(code wire.StationCode) bool {
	f, ok := wire.FaultOf(code)
	return code == wire.LinkLost || ok && code == f.Begin
}
