package audit

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/ids"
	"dozor/internal/secret"
)

// Entry is one act.
type Entry struct {
	// ActorID is the person; 0 for a rule of the station.
	ActorID ids.UserID
	// Actor is the person's role, or the name of the rule. Never a person's name.
	Actor string
	// Act is what was done: alarm.claim, command.arm, session.open.
	Act string
	// SubjectType and SubjectID name what it was done to.
	SubjectType string
	SubjectID   string
	// Details are facts without personal values.
	Details map[string]any
	// Personal are values that may have to be erased, by field name. Empty ones are
	// left out.
	Personal map[string]string
}

// By begins an entry with the principal as the actor.
func By(p access.Principal, act, subjectType string, subjectID any) Entry {
	return Entry{ActorID: p.UserID, Actor: string(p.Role), Act: act, SubjectType: subjectType, SubjectID: fmt.Sprint(subjectID)}
}

// ByRule begins an entry of a rule of the station.
func ByRule(rule, act, subjectType string, subjectID any) Entry {
	return Entry{Actor: rule, Act: act, SubjectType: subjectType, SubjectID: fmt.Sprint(subjectID)}
}

// Log appends entries. It is safe for use by many goroutines.
type Log struct {
	key      secret.Derived
	instance string
}

// purpose names the key under which personal values are fingerprinted.
const purpose = "audit-values"

// New makes a log whose fingerprints are made with a key derived from the ring;
// instance names this process in the entries.
func New(ring *secret.Keyring, instance string) *Log {
	return &Log{key: ring.Derive(purpose), instance: instance}
}

const saltSize = 16

// Append writes an entry in the transaction of its act. The request's id is taken from
// the context.
func (l *Log) Append(ctx context.Context, tx pgx.Tx, e Entry) error {
	if e.Act == "" || e.Actor == "" || e.SubjectType == "" {
		return errors.New("append an audit entry: act, actor and subject type are needed")
	}
	details := maps.Clone(e.Details)
	if details == nil {
		details = map[string]any{}
	}
	var fields, values []string
	var salts [][]byte
	for _, field := range slices.Sorted(maps.Keys(e.Personal)) {
		value := e.Personal[field]
		if value == "" {
			continue
		}
		salt := make([]byte, saltSize)
		rand.Read(salt)
		details[field] = Fingerprint(l.key, salt, field, value)
		fields, values, salts = append(fields, field), append(values, value), append(salts, salt)
	}
	encoded, err := json.Marshal(details)
	if err != nil {
		return fmt.Errorf("append audit entry %s: encode its details: %w", e.Act, err)
	}
	var actor *int64
	if e.ActorID != 0 {
		actor = (*int64)(&e.ActorID)
	}
	var id int64
	err = tx.QueryRow(ctx, `
		INSERT INTO audit (actor_id, actor, act, subject_type, subject_id, instance, request_id, details)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb) RETURNING id`,
		actor, e.Actor, e.Act, e.SubjectType, e.SubjectID, l.instance, access.RequestID(ctx), string(encoded)).Scan(&id)
	if err != nil {
		return fmt.Errorf("append audit entry %s: %w", e.Act, err)
	}
	if len(fields) == 0 {
		return nil
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO audit_values (audit_id, field, salt, value)
		SELECT $1, field, salt, value FROM unnest($2::text[], $3::bytea[], $4::text[]) AS v (field, salt, value)`,
		id, fields, salts, values)
	if err != nil {
		return fmt.Errorf("append the values of audit entry %s: %w", e.Act, err)
	}
	return nil
}

// Fingerprint is what an entry holds of a personal value: "hmac:<key>:<hex>". It binds
// the field, so that equal values of two fields do not show as equal.
func Fingerprint(key secret.Derived, salt []byte, field, value string) string {
	m := hmac.New(sha256.New, key.Key)
	m.Write(salt)
	m.Write([]byte(field))
	m.Write([]byte{0})
	m.Write([]byte(value))
	return "hmac:" + key.ID + ":" + hex.EncodeToString(m.Sum(nil))
}
