package ingest

import (
	"dozor/internal/alarm"
	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/outbox"
	"dozor/internal/wire"
)

// maxRecorded bounds the events of one notification about events without an alarm.
const maxRecorded = 100

// notifications are one row for each changed alarm, and for each site and type the
// events that concern no alarm. Every event is in exactly one.
func (w *work) notifications() []outbox.Row {
	of := make(map[ids.EventID]*item, len(w.fresh))
	for _, it := range w.fresh {
		of[it.event.ID] = it
	}
	var rows []outbox.Row
	for _, t := range w.touched() {
		if len(t.Events) > 0 {
			rows = append(rows, w.alarmRow(t, of))
		}
	}
	return append(rows, w.recordedRows()...)
}

func (w *work) alarmRow(t *alarm.Touched, of map[ids.EventID]*item) outbox.Row {
	data := wire.AlarmData{Alarm: t.Alarm.View(w.sites[t.Alarm.SiteID]), Events: make([]wire.Event, len(t.Events))}
	row := outbox.Row{
		Lane: outbox.Backfill, SiteID: t.Alarm.SiteID, Type: wire.AlarmUpdated, Version: t.Alarm.Version, Ring: t.Alarm.Ring,
	}
	if t.IsNew {
		row.Type = wire.AlarmNew
	}
	for i, e := range t.Events {
		data.Events[i] = w.view(e)
		carry(&row, of[e.ID])
	}
	row.Data = data
	return row
}

// carry gives a row the lane, the trace and the time of the answer of an event in it: the
// more urgent lane, the newest answer.
func carry(row *outbox.Row, it *item) {
	row.Trace = it.event.Trace
	if it.lane() == bus.Backfill {
		return
	}
	row.Lane = outbox.Live
	if it.event.Source == event.FromPanel && it.event.ReceivedAt.After(row.AnsweredAt) {
		row.AnsweredAt = it.event.ReceivedAt
	}
}

// recordedRows are the notifications of events without an alarm, in order.
func (w *work) recordedRows() []outbox.Row {
	type group struct {
		site ids.SiteID
		kind string
	}
	open := map[group]int{} // index of the row that takes more
	var rows []outbox.Row
	var data []*wire.EventsData
	for _, it := range w.fresh {
		e := it.event
		if e.AlarmID != 0 {
			continue
		}
		g := group{e.SiteID, frameOf(e)}
		i, ok := open[g]
		if !ok || len(data[i].Events) == maxRecorded {
			i = len(rows)
			open[g] = i
			rows = append(rows, outbox.Row{Lane: outbox.Backfill, SiteID: e.SiteID, Type: g.kind})
			data = append(data, &wire.EventsData{SiteID: e.SiteID, PanelID: e.PanelID})
		}
		if data[i].PanelID != e.PanelID {
			data[i].PanelID = 0
		}
		data[i].Events = append(data[i].Events, w.view(e))
		carry(&rows[i], it)
	}
	for i := range rows {
		rows[i].Data = data[i]
	}
	return rows
}

// frameOf is the type of the frame in which an event without an alarm goes out. What was
// armed days ago is history, not news about arming.
func frameOf(e *event.Event) string {
	switch {
	case e.Historic:
		return wire.EventRecorded
	case e.Arming == event.Armed:
		return wire.PanelArmed
	case e.Arming == event.Disarmed:
		return wire.PanelDisarmed
	default:
		return wire.EventRecorded
	}
}

func (w *work) view(e *event.Event) wire.Event {
	return e.View(event.Names{
		Zone:  w.names[object{e.PanelID, zoneObject, e.Zone}],
		User:  w.names[object{e.PanelID, userObject, e.User}],
		Event: w.words[wording{e.PanelID, e.Code, e.Restore}],
	})
}
