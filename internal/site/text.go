package site

import (
	"context"
	"fmt"
)

// EventText is what a panel calls an event that no table of ours has.
type EventText struct {
	Code    int
	Restore bool
	Kind    int    // how the panel's firmware reads a record of that code
	Text    string // empty: the panel has no words either
}

// TextWanted reports whether nobody has asked a panel of that type, firmware and language
// for an event's words.
func (s *Sites) TextWanted(ctx context.Context, is Identity, code int, restore bool) (wanted bool, err error) {
	err = s.d.Pool.QueryRow(ctx, `
		SELECT NOT EXISTS (SELECT FROM event_texts WHERE code = $1 AND restore = $2 AND type = $3 AND firmware = $4 AND language = $5)`,
		code, restore, int16(is.Type), is.Firmware, int16(is.Language)).Scan(&wanted)
	if err != nil {
		return false, fmt.Errorf("ask for the words of event %d: %w", code, err)
	}
	return wanted, nil
}

// SaveText keeps a panel's words for an event; the desk gives them to alarms that are open.
func (s *Sites) SaveText(ctx context.Context, is Identity, t EventText) error {
	_, err := s.d.Pool.Exec(ctx, `
		INSERT INTO event_texts (type, firmware, language, code, restore, kind, text) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT DO NOTHING`,
		int16(is.Type), is.Firmware, int16(is.Language), t.Code, t.Restore, t.Kind, t.Text)
	if err != nil {
		return fmt.Errorf("keep the words of event %d: %w", t.Code, err)
	}
	return nil
}
