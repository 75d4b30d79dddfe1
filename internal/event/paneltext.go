package event

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// describeGap says why records of a panel's memory can't be read any more. Arguments:
// reason (how the walk ended), count (a bound of what is missing), about (an estimate),
// from and to (the panel's minutes between which they lie).
func describeGap(args map[string]string) (pl, en string) {
	switch args["reason"] {
	case "wrapped", "circle":
		pl = "Pamięć zdarzeń centrali przepełniła się: najstarsze nieodczytane zapisy są nadpisane"
		en = "The panel's event memory wrapped: the oldest unread records are overwritten"
	case "erased":
		pl = "Pamięć zdarzeń centrali została wyczyszczona: może brakować zapisów sprzed wyczyszczenia"
		en = "The panel's event memory was erased: records from before may be missing"
	case "short":
		pl = "Pamięć zdarzeń centrali nie sięga ostatniego odczytanego zapisu: przepełniła się albo jest inna"
		en = "The panel's event memory does not reach back to the last record read: it wrapped or is another one"
	case "empty":
		pl = "Pamięć zdarzeń centrali jest pusta, choć były w niej zapisy"
		en = "The panel's event memory is empty, although it held records"
	case "overtaken":
		pl = "Centrala nadpisała zapisy szybciej, niż dało się je odczytać"
		en = "The panel overwrote records faster than they could be read"
	case "lost":
		pl = "Nieodczytane zapisy zostały nadpisane, gdy nie było łączności"
		en = "Unread records were overwritten while there was no link"
	default:
		pl, en = "Luka w pamięci zdarzeń: może brakować zapisów", "Gap in the event memory: records may be missing"
	}
	switch {
	case args["count"] != "":
		pl, en = pl+"; może brakować do "+args["count"]+" zdarzeń", en+"; up to "+args["count"]+" events may be missing"
	case args["about"] != "":
		pl, en = pl+"; może brakować około "+args["about"]+" zdarzeń", en+"; about "+args["about"]+" events may be missing"
	}
	if from, to := args["from"], args["to"]; from != "" && to != "" {
		pl, en = pl+" od "+from+" do "+to, en+" from "+from+" to "+to
	}
	return pl, en
}

// describeClock names an offset in seconds; what is one hour off is a clock that missed a
// change between summer and winter time.
func describeClock(offset string) (pl, en string) {
	pl, en = "Zegar centrali jest zły", "The panel's clock is wrong"
	seconds, err := strconv.ParseInt(offset, 10, 64)
	if err != nil {
		return pl, en
	}
	by := (time.Duration(seconds) * time.Second).Abs()
	far := durationWords(by)
	if seconds > 0 {
		pl, en = pl+": spieszy się o "+far, en+": ahead by "+far
	} else {
		pl, en = pl+": spóźnia się o "+far, en+": behind by "+far
	}
	if IsHourOff(by) {
		pl, en = pl+" (nie przestawiono go przy zmianie czasu)", en+" (the change between summer and winter time was missed)"
	}
	return pl + "; można go ustawić poleceniem „Ustaw zegar”", en + "; the command “Set clock” sets it"
}

// IsHourOff reports whether a clock is off by an hour, give or take what a clock may be off:
// it missed a change between summer and winter time.
func IsHourOff(offset time.Duration) bool {
	return (offset.Abs() - time.Hour).Abs() <= 2*time.Minute
}

// durationWords are short units that both languages share.
func durationWords(d time.Duration) string {
	const day = 24 * time.Hour
	var words []string
	add := func(unit time.Duration, word string) {
		if n := d / unit; n > 0 && len(words) < 2 {
			words = append(words, fmt.Sprintf("%d %s", n, word))
		}
		d %= unit
	}
	add(day, "d")
	add(time.Hour, "h")
	add(time.Minute, "min")
	add(time.Second, "s")
	return strings.Join(words, " ")
}

// describeSettings lists what changed on a panel. Arguments: model (old and new), and lists
// of zone numbers: zones_gone, reactions, zones_moved.
func describeSettings(args map[string]string) (pl, en string) {
	var plParts, enParts []string
	for _, part := range []struct{ arg, pl, en string }{
		{"model", "inny typ centrali", "another panel type"},
		{"zones_gone", "zniknęły linie", "zones gone"},
		{"reactions", "inna reakcja linii", "other reaction of zones"},
		{"zones_moved", "linie w innej strefie", "zones in another partition"},
	} {
		if value := args[part.arg]; value != "" {
			plParts, enParts = append(plParts, part.pl+": "+value), append(enParts, part.en+": "+value)
		}
	}
	return "Zmieniono ustawienia centrali: " + strings.Join(plParts, "; "), "The panel's settings changed: " + strings.Join(enParts, "; ")
}
