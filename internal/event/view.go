package event

import "dozor/internal/wire"

// Names are what the site is called, and what its panel calls the parts that an event
// speaks of, and, where no table has it, the event itself; empty where not known.
type Names struct{ Site, Zone, User, Event string }

// View is the event as clients see it.
func (e *Event) View(n Names) wire.Event {
	pl, en := Describe(e.Code, e.Restore, e.Text, n.Event)
	v := wire.Event{
		ID: e.ID, SiteID: e.SiteID, SiteName: n.Site, PanelID: e.PanelID, AlarmID: e.AlarmID, Source: string(e.Source),
		Kind: string(e.Kind), Priority: int(e.Priority), Code: e.Code, Restore: e.Restore,
		Zone: e.Zone, ZoneName: n.Zone, Partition: e.Partition, UserNumber: e.User, UserName: n.User,
		TextPL: pl, TextEN: en, At: e.EffectiveAt, ReceivedAt: e.ReceivedAt,
		Historic: e.Historic, Provisional: e.Provisional, Unclassified: e.Unclassified,
	}
	if !e.PanelTime.IsZero() {
		v.PanelTime = e.PanelTime.Format("2006-01-02T15:04")
	}
	return v
}
