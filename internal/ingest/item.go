package ingest

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/wire"
)

// item is one message on its way through a batch.
type item struct {
	delivery *bus.Delivery
	verdict  *Verdict
	// report is what the message says, or, of one that can't be read, what the station
	// says of it.
	report wire.Report
	// dead is why the message is set aside; empty while it isn't.
	dead string
	// apart: bundling failed, the event becomes an alarm of its own.
	apart bool
	// mute: not even the alarm of a dead letter can be stored.
	mute bool

	// event is made anew by every attempt.
	event *event.Event
	// home is found anew by every attempt, too.
	home home
	// result is what became of the message in the attempt that committed.
	result string
}

// read makes items of deliveries. What can't be read is dead from the beginning.
func (in *Ingest) read(deliveries []bus.Delivery, verdicts []Verdict) []*item {
	items := make([]*item, len(deliveries))
	for i := range deliveries {
		d := &deliveries[i]
		verdicts[i].Tag = d.Tag
		it := &item{delivery: d, verdict: &verdicts[i]}
		report, err := wire.DecodeReport(d.Body)
		if err == nil && event.ReportKey(report) != d.Key {
			err = fmt.Errorf("the key %s is not that of the body", hex.EncodeToString(d.Key[:]))
		}
		if err != nil {
			it.kill(err.Error())
		} else {
			it.report = report
		}
		items[i] = it
	}
	return items
}

// kill makes a dead letter of the message: the station's own event takes its place.
func (it *item) kill(reason string) {
	it.dead, it.apart = clean(reason, maxReason), false
	panel, site := it.place()
	it.report = wire.Report{
		Version: wire.ReportVersion, PanelID: panel, SiteID: site, ReceivedAt: time.Now().UTC(), Model: -1,
		Station: &wire.Station{Code: wire.Unreadable, Subject: hex.EncodeToString(it.delivery.Key[:])},
	}
}

// place finds out where a message came from when its body can't be trusted: what the
// body still says, else the topic.
func (it *item) place() (ids.PanelID, ids.SiteID) {
	if it.report.PanelID != 0 || it.report.SiteID != 0 {
		return it.report.PanelID, it.report.SiteID
	}
	var said struct {
		PanelID ids.PanelID `json:"panel_id"`
		SiteID  ids.SiteID  `json:"site_id"`
	}
	if err := json.Unmarshal(it.delivery.Body, &said); err == nil && (said.PanelID > 0 || said.SiteID > 0) {
		return said.PanelID, said.SiteID
	}
	if parts := strings.Split(it.delivery.Topic, "."); len(parts) == 3 && parts[0] == "satel" {
		if n, err := strconv.ParseInt(parts[2], 10, 64); err == nil {
			return ids.PanelID(n), 0
		}
	}
	return 0, 0
}

// Bounds of texts that come from outside.
const (
	maxReason = 1000
	maxTrace  = 200
	maxTopic  = 200
)

// clean makes a text from outside storable: PostgreSQL refuses NUL and broken UTF-8.
func clean(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
}

// arrange gives every item its event, in the order in which events happened: each panel's
// by its log, all together by time as far as that allows.
func (in *Ingest) arrange(items []*item) []*item {
	for _, it := range items {
		e := event.FromReport(it.report, in.rules, in.zone)
		e.Trace = clean(it.delivery.Trace, maxTrace)
		it.event = &e
	}
	ordered := slices.Clone(items)
	slices.SortStableFunc(ordered, byLog)
	// A record happened no earlier than those before it in its log, whatever minute it says.
	at := make(map[*item]time.Time, len(ordered))
	var panel ids.PanelID
	var latest time.Time
	for _, it := range ordered {
		if it.event.Segment == 0 {
			at[it], panel = it.event.EffectiveAt, 0
			continue
		}
		if it.event.PanelID != panel {
			panel, latest = it.event.PanelID, time.Time{}
		}
		if it.event.EffectiveAt.After(latest) {
			latest = it.event.EffectiveAt
		}
		at[it] = latest
	}
	slices.SortStableFunc(ordered, func(a, b *item) int { return at[a].Compare(at[b]) })
	for _, it := range ordered {
		it.event.ID = ids.NewEventID()
	}
	return ordered
}

// byLog sorts by panel, within it what has no place in the log first, then by the log.
func byLog(a, b *item) int {
	x, y := a.event, b.event
	return slices.CompareFunc(
		[]int64{int64(x.PanelID), min(x.Segment, 1), int64(x.Epoch), x.Segment, int64(x.Offset)},
		[]int64{int64(y.PanelID), min(y.Segment, 1), int64(y.Epoch), y.Segment, int64(y.Offset)},
		func(m, n int64) int { return int(max(-1, min(1, m-n))) },
	)
}

func (it *item) lane() bus.Lane { return it.delivery.Lane }
