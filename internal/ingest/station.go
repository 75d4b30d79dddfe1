package ingest

import (
	"fmt"
	"time"

	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/wire"
)

// StationReport makes the message of an event that the station itself noticed at an
// instant, to be published like a panel's. One of panel and site is set; with a panel the
// site is the panel's. The subject tells two events of one code apart, for ever.
func StationReport(panel ids.PanelID, site ids.SiteID, what wire.Station, at time.Time, trace string) (bus.Message, error) {
	report := wire.Report{PanelID: panel, Station: &what, ReceivedAt: at.UTC(), Model: -1}
	if panel == 0 {
		report.SiteID = site
	}
	body, err := report.Encode()
	if err != nil {
		return bus.Message{}, fmt.Errorf("make the station's report %s: %w", what.Code, err)
	}
	return bus.Message{
		Key: event.ReportKey(report), Lane: bus.Live, Topic: "station." + string(what.Code), Trace: trace, Body: body,
	}, nil
}
