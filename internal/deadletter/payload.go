package deadletter

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/audit"
)

// Payload is what a message holds, as it was received.
type Payload struct {
	Encoding string `json:"encoding" enum:"json,hex" doc:"json: indented, otherwise as received; hex: it is no JSON"`
	Text     string `json:"text"`
}

// Reveal shows what a letter holds: data of a site, so that it is written down who read it.
func (l *Letters) Reveal(ctx context.Context, by access.Principal, id int64) (Payload, error) {
	var body []byte
	err := l.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, "SELECT body FROM dead_letters WHERE id = $1", id).Scan(&body)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return ErrNotFound
		case err != nil:
			return err
		}
		return l.d.Audit.Append(ctx, tx, audit.By(by, "dead_letter.reveal", "dead_letter", id))
	})
	if err != nil {
		return Payload{}, fmt.Errorf("reveal dead letter %d: %w", id, err)
	}
	return show(body), nil
}

func show(body []byte) Payload {
	var indented bytes.Buffer
	if utf8.Valid(body) && json.Indent(&indented, body, "", "  ") == nil {
		return Payload{Encoding: "json", Text: indented.String()}
	}
	return Payload{Encoding: "hex", Text: hex.EncodeToString(body)}
}
