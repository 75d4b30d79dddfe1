package installer

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"dozor/satel"
)

// Event is one record of the event memory.
type Event struct {
	At        string `json:"at"` // by the panel's clock, to the minute; empty where the record has no possible date
	Code      int    `json:"code"`
	Restore   bool   `json:"restore"`
	Class     string `json:"class"`
	Priority  string `json:"priority,omitempty"`
	Text      string `json:"text"`
	Partition int    `json:"partition,omitempty"`
	Source    string `json:"source,omitempty"`
	Number    int    `json:"number"`
	Index     string `json:"index"`
	Record    string `json:"record"`
}

// Events reads the last records of the event memory, at most n, oldest first.
func (p *Panel) Events(ctx context.Context, loc *time.Location, n int) ([]Event, error) {
	entries, err := p.walk(ctx, n, func(satel.LogEntry) bool { return false })
	if err != nil {
		return nil, p.explain(err)
	}
	return p.events(entries, loc), nil
}

// walk reads records from the newest back until known says so, the memory ends, or there are n; it returns them oldest
// first.
func (p *Panel) walk(ctx context.Context, n int, known func(satel.LogEntry) bool) ([]satel.LogEntry, error) {
	var out []satel.LogEntry
	arg := satel.NewestIndex
	for len(out) < n {
		e, _, err := p.conn.Older(ctx, arg)
		if err != nil && open(ctx, err) {
			e, _, err = p.conn.Older(ctx, arg) // one lost answer is ordinary
		}
		if err != nil {
			return nil, err
		}
		round := len(out) > 0 && e.Index == out[0].Index
		if !e.Record.Present() || round || known(e) {
			break
		}
		out = append(out, e)
		arg = e.Index
	}
	slices.Reverse(out)
	return out, nil
}

func (p *Panel) events(entries []satel.LogEntry, loc *time.Location) []Event {
	out := make([]Event, 0, len(entries))
	for _, entry := range entries {
		if !entry.Record.HasEvent() {
			continue
		}
		e := entry.Record.Decode(p.model)
		view := Event{
			Code: e.Code, Restore: e.Restore, Class: e.Class.String(), Text: e.Info.TextEN,
			Partition: e.Partition, Source: string(e.Source.Kind), Number: e.Source.Index,
			Index: entry.Index.String(), Record: entry.Record.String(),
		}
		if at := entry.Record.Resolve(time.Now(), loc); !at.IsZero() {
			view.At = at.Format("2006-01-02 15:04")
		}
		if e.Known {
			view.Priority = e.Info.Priority.String()
		} else {
			view.Text = fmt.Sprintf("unknown event %d", e.Code)
		}
		out = append(out, view)
	}
	return out
}

// Write writes the event as one line.
func (e Event) Write(w io.Writer) error {
	at := e.At
	if at == "" {
		at = "no date         "
	}
	_, err := fmt.Fprintf(w, "%s  %-2s  %s%s\n", at, e.Priority, e.Text, e.where())
	return err
}

func (e Event) where() string {
	out := ""
	if e.Partition != 0 {
		out += fmt.Sprintf(", partition %d", e.Partition)
	}
	switch satel.SourceKind(e.Source) {
	case satel.SourceNone, satel.SourceIP, satel.SourceOther:
	case satel.SourcePanel, satel.SourceDloadX, satel.SourceModem:
		out += ", " + e.Source
	default:
		out += fmt.Sprintf(", %s %d", e.Source, e.Number)
	}
	return out
}
