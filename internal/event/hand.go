package event

import (
	"time"

	"dozor/internal/ids"
	"dozor/internal/wire"
)

// handPriorities are the kinds that a person may report, with how pressing each is.
var handPriorities = map[Kind]Priority{
	Panic: P1, Duress: P1, Fire: P1, Medical: P1, Gas: P1,
	Burglary: P2, Tamper: P2,
	Technical: P3, Temperature: P3, Other: P3,
}

// MayReport reports whether a person may report an event of this kind.
func MayReport(k Kind) bool { return handPriorities[k] != 0 }

// Reported makes the event of what a person was told, at the instant when they wrote it
// down. The kind is one that MayReport; the caller may be empty. It has no key: nothing
// delivers it, it is stored in the transaction of its making.
func Reported(site ids.SiteID, kind Kind, text, caller string, at time.Time) Event {
	args := map[string]string{"text": text}
	if caller != "" {
		args["caller"] = caller
	}
	at = at.UTC()
	return Event{
		ID: ids.NewEventID(), SiteID: site, Source: ByHand, Kind: kind, Priority: handPriorities[kind], Raises: true,
		Text: StationText(wire.Station{Code: wire.Reported, Args: args}), ReceivedAt: at, EffectiveAt: at,
	}
}

func describeReport(text, caller string) (pl, en string) {
	pl, en = "Zgłoszenie: "+text, "Report: "+text
	if caller != "" {
		pl, en = pl+" (zgłasza: "+caller+")", en+" (by: "+caller+")"
	}
	return pl, en
}
