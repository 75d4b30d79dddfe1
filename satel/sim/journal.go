package sim

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// journalFile is a panel's event memory on disk, as the flash memory of a real panel is: a line that says whose memory it
// is, then a line for each record and for each erasing, in order, each written before anybody can read what it tells of.
// A line that was not written to its end, because the process was killed, never was.
type journalFile struct {
	file *os.File
	err  error // of the first line that could not be written; none is written after it
}

// journalHead says which memory a journal is of: what the indexes of its records depend on.
type journalHead struct {
	Version  int    `json:"version"`
	Model    string `json:"model"`
	Capacity int    `json:"capacity"`
	Low      byte   `json:"low"`
}

// journalLine is one record, or one erasing.
type journalLine struct {
	Erased     bool      `json:"erased,omitempty"`
	Record     string    `json:"record,omitempty"`
	PanelClock time.Time `json:"panel_clock,omitzero"`
	HappenedAt time.Time `json:"happened_at,omitzero"`
	RecordedAt time.Time `json:"recorded_at,omitzero"`
	SentAt     time.Time `json:"sent_at,omitzero"`
}

const journalVersion = 1

// openJournal opens a journal, or begins one, and fills the memory with what it tells of.
func openJournal(path, model string, zone *time.Location, m *memory) (*journalFile, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &journalFile{file: file}
	if err := j.load(model, zone, m); err != nil {
		return nil, errors.Join(fmt.Errorf("journal %s: %w", path, err), file.Close())
	}
	return j, nil
}

func (j *journalFile) load(model string, zone *time.Location, m *memory) error {
	head := journalHead{Version: journalVersion, Model: model, Capacity: m.capacity, Low: m.low}
	lines := bufio.NewReader(j.file)
	var whole int64 // bytes of whole lines
	for n := 0; ; n++ {
		line, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err != nil { // what lies behind the last end of a line was never written to its end
			if err := j.cut(whole); err != nil {
				return err
			}
			if n > 0 {
				return nil
			}
			j.write(head)
			return j.err
		}
		if n == 0 {
			err = head.read(line)
			m.low = head.Low
		} else {
			err = m.restore(line, zone)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n+1, err)
		}
		whole += int64(len(line))
	}
}

// cut takes away what lies behind the given length, and lets writing go on there.
func (j *journalFile) cut(length int64) error {
	if err := j.file.Truncate(length); err != nil {
		return err
	}
	_, err := j.file.Seek(length, io.SeekStart)
	return err
}

// read takes the head of an existing journal, if it is one of such a memory.
func (h *journalHead) read(line []byte) error {
	found := *h
	found.Version = 0
	if err := json.Unmarshal(line, &found); err != nil {
		return fmt.Errorf("not a journal of a panel: %w", err)
	}
	want := *h
	want.Low = found.Low
	if found != want {
		return fmt.Errorf("the memory of another panel: %s with %d records (version %d), not %s with %d", found.Model,
			found.Capacity, found.Version, want.Model, want.Capacity)
	}
	*h = found
	return nil
}

// restore brings one line of the journal back.
func (m *memory) restore(line []byte, zone *time.Location) error {
	var l journalLine
	if err := json.Unmarshal(line, &l); err != nil {
		return err
	}
	if l.Erased {
		m.start = len(m.journal)
		return nil
	}
	e := Event{PanelClock: l.PanelClock.In(zone), HappenedAt: l.HappenedAt, RecordedAt: l.RecordedAt, sentAt: l.SentAt}
	raw, err := hex.DecodeString(l.Record)
	if err != nil || len(raw) != len(e.Record) {
		return fmt.Errorf("%q is not a record", l.Record)
	}
	copy(e.Record[:], raw)
	m.place(&e)
	return nil
}

func (j *journalFile) record(e *Event) {
	j.write(journalLine{
		Record: e.Record.String(), PanelClock: e.PanelClock, HappenedAt: e.HappenedAt, RecordedAt: e.RecordedAt, SentAt: e.sentAt,
	})
}

func (j *journalFile) erased() { j.write(journalLine{Erased: true}) }

// write adds a line. After one that failed nothing more is written: the journal then ends before what it has lost.
func (j *journalFile) write(line any) {
	if j.err != nil {
		return
	}
	var text bytes.Buffer
	if j.err = json.NewEncoder(&text).Encode(line); j.err != nil {
		return
	}
	_, j.err = j.file.Write(text.Bytes())
}

func (j *journalFile) close() error { return errors.Join(j.err, j.file.Close()) }
