package event

import (
	"crypto/sha256"
	"encoding/binary"

	"dozor/internal/ids"
	"dozor/internal/wire"
	"dozor/satel"
)

// Key identifies what was reported: 128 bits of SHA-256. It is assignable to bus.Key.
//
// The bytes that are hashed, integers as 64 bits with the highest byte first, texts as
// their length in such an integer and their UTF-8 bytes:
//
//	"dozor event 1 record\x00"    panel, epoch, index (3 bytes), record (8 bytes, byte 0 & F0)
//	"dozor event 1 inferred\x00"  panel, fence, seq
//	"dozor event 1 station\x00"   panel, site (of a panel: 0), code, subject
//
// The first 16 bytes of the hash are the key. Never a time stamp is in it: the hour that
// October repeats comes twice. Changing anything here later doubles every memory.
type Key = [16]byte

// RecordKey is the key of a record of a panel's event memory. The states of reporting in
// the record's first byte don't count.
func RecordKey(panel ids.PanelID, epoch int, index satel.Index, record satel.Record) Key {
	masked := record.Masked()
	b := newKeyBytes("dozor event 1 record\x00")
	b.number(int64(panel))
	b.number(int64(epoch))
	b = append(b, index[:]...)
	b = append(b, masked[:]...)
	return b.key()
}

// InferredKey is the key of the inference seq that was made of a panel under a fence.
func InferredKey(panel ids.PanelID, fence, seq int64) Key {
	b := newKeyBytes("dozor event 1 inferred\x00")
	b.number(int64(panel))
	b.number(fence)
	b.number(seq)
	return b.key()
}

// StationKey is the key of a station's own event. The site counts only where there is no
// panel, so that a panel that moves to another site keeps its keys.
func StationKey(panel ids.PanelID, site ids.SiteID, code wire.StationCode, subject string) Key {
	if panel != 0 {
		site = 0
	}
	b := newKeyBytes("dozor event 1 station\x00")
	b.number(int64(panel))
	b.number(int64(site))
	b.text(string(code))
	b.text(subject)
	return b.key()
}

// ReportKey is the key of a report that wire.DecodeReport accepts.
func ReportKey(r wire.Report) Key {
	switch {
	case r.Record != nil:
		return RecordKey(r.PanelID, r.Record.Epoch, satel.Index(r.Record.Index), satel.Record(r.Record.Raw))
	case r.Inferred != nil:
		return InferredKey(r.PanelID, r.Inferred.Fence, r.Inferred.Seq)
	default:
		return StationKey(r.PanelID, r.SiteID, r.Station.Code, r.Station.Subject)
	}
}

type keyBytes []byte

func newKeyBytes(domain string) keyBytes {
	return append(make(keyBytes, 0, 128), domain...)
}

func (b *keyBytes) number(n int64) { *b = binary.BigEndian.AppendUint64(*b, uint64(n)) }

func (b *keyBytes) text(s string) {
	b.number(int64(len(s)))
	*b = append(*b, s...)
}

func (b keyBytes) key() Key {
	sum := sha256.Sum256(b)
	return Key(sum[:16])
}
