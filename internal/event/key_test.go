package event_test

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/wire"
	"dozor/satel"
)

// A key that changes makes every record of every panel a new event.
func TestKeysNeverChange(t *testing.T) {
	t.Parallel()
	record := satel.Record{0xBF, 0x17, 0xB0, 0x89, 0x08, 0x82, 0x05, 0x00}
	for _, c := range []struct {
		name string
		key  event.Key
		want string
	}{
		{"record", event.RecordKey(7, 1, satel.Index{0x03, 0x58, 0x96}, record), "a0e7ddff57f9113cd05fcbe69d58bc1c"},
		{"record of a second epoch", event.RecordKey(7, 2, satel.Index{0x03, 0x58, 0x96}, record), "a60307213e2a8ed99216dfdd0921ada9"},
		{"inferred", event.InferredKey(7, 1_795_000_000_000, 3), "423ec2801d3763e3ca98450c6ec92f39"},
		{"station, of a panel", event.StationKey(7, 0, wire.LinkLost, "outage 12"), "10f2564db0d2165f0c1d1a1baaa6fbc3"},
		{"station, of a site", event.StationKey(0, 5, wire.Unreadable, "00ff"), "6d94027a7a58ab38953d0d2d14c69751"},
	} {
		require.Equal(t, c.want, hex.EncodeToString(c.key[:]), c.name)
	}
}

func TestStatesOfReportingAreNotPartOfARecordsKey(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		record := satel.Record(rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "record"))
		other := record
		other[0] = record[0]&0xF0 | rapid.Byte().Draw(t, "states")&0x0F
		index := satel.Index(rapid.SliceOfN(rapid.Byte(), 3, 3).Draw(t, "index"))
		require.Equal(t, event.RecordKey(1, 1, index, record), event.RecordKey(1, 1, index, other))
	})
}

func TestReportKeyIsThatOfItsContent(t *testing.T) {
	t.Parallel()
	now := time.Now()
	record := wire.Report{PanelID: 7, ReceivedAt: now, Record: &wire.Record{Raw: make([]byte, 8), Index: []byte{1, 2, 3}, Epoch: 4, Number: 5}}
	require.Equal(t, event.RecordKey(7, 4, satel.Index{1, 2, 3}, satel.Record{}), event.ReportKey(record))
	inferred := wire.Report{PanelID: 7, ReceivedAt: now, Inferred: &wire.Inferred{Fence: 8, Seq: 9}}
	require.Equal(t, event.InferredKey(7, 8, 9), event.ReportKey(inferred))
	station := wire.Report{PanelID: 7, SiteID: 3, ReceivedAt: now, Station: &wire.Station{Code: wire.LinkLost, Subject: "x"}}
	require.Equal(t, event.StationKey(7, 0, wire.LinkLost, "x"), event.ReportKey(station))
}

func TestKeysOfDifferentThingsDiffer(t *testing.T) {
	t.Parallel()
	seen := map[event.Key]string{}
	add := func(name string, k event.Key) {
		require.Empty(t, seen[k], "%s has the key of another", name)
		seen[k] = name
	}
	for _, panel := range []ids.PanelID{1, 2} {
		for _, epoch := range []int{1, 2} {
			for _, index := range []satel.Index{{1}, {2}} {
				add("record", event.RecordKey(panel, epoch, index, satel.Record{0x30, 1}))
				add("record", event.RecordKey(panel, epoch, index, satel.Record{0x30, 2}))
			}
		}
		add("inferred", event.InferredKey(panel, 1, 2))
		add("inferred", event.InferredKey(panel, 2, 1))
		add("station", event.StationKey(panel, 0, "ab", "c"))
		add("station", event.StationKey(panel, 0, "a", "bc"))
	}
	add("station of a site", event.StationKey(0, 1, "ab", "c"))
}
