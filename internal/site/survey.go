package site

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/audit"
	"dozor/internal/ids"
)

// Identity is what a panel says of itself.
type Identity struct {
	Type     byte   // code of 0x7E
	Model    string // empty where no table has the type
	Firmware string
	Language byte
	Module   string // firmware of the network module, empty where it does not say
}

// ObjectRef is a number of a kind of objects.
type ObjectRef struct {
	Kind   string
	Number int
}

// Survey is what is known of a panel's parts and how far their reading is.
type Survey struct {
	Objects    []Object  // those that it has, by kind and number
	Place      int       // of the last object read in a round that goes on, see Reading; 0: no round does
	DueAt      time.Time // when the next round may begin
	FinishedAt time.Time // of the last whole round; zero: there was none
}

// Reading is a part of a round of reading.
type Reading struct {
	Objects []Object
	Absent  []ObjectRef // of which the panel said that it has none
	// Place says where to go on; its meaning is the reader's. 0 ends the round.
	Place int
	// NextAfter is when the next round is due after the end of this one.
	NextAfter time.Duration
}

// maxSigns bounds the signs that are remembered as heeded.
const maxSigns = 8

// What may change; see Change.
const (
	ChangeAppeared  = "appeared"
	ChangeVanished  = "vanished"
	ChangeName      = "name"
	ChangeFunction  = "function"
	ChangePartition = "partition"
	ChangePerson    = "person"
	ChangeModel     = "model"
	ChangeFirmware  = "firmware"
	ChangeModule    = "module"
)

// kindPanel is the kind of changes of the panel itself.
const kindPanel = "panel"

// Survey notes what a panel says of itself and returns what is known of its parts. Another
// type or firmware than before is recorded as a change, and its names are all read anew.
func (s *Sites) Survey(ctx context.Context, panel ids.PanelID, is Identity) (Survey, error) {
	var v Survey
	err := s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		was, known, err := surveyed(ctx, tx, panel)
		if err != nil {
			return err
		}
		if !known {
			was = is
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO panel_surveys AS s (panel_id, type, model, firmware, language, module) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (panel_id) DO UPDATE SET
				type = excluded.type, model = excluded.model, firmware = excluded.firmware, language = excluded.language, module = excluded.module,
				place = CASE WHEN (s.type, s.firmware) = (excluded.type, excluded.firmware) THEN s.place ELSE 0 END,
				due_at = CASE WHEN (s.type, s.firmware) = (excluded.type, excluded.firmware) THEN s.due_at ELSE dozor_now() END
			WHERE (s.type, s.model, s.firmware, s.language, s.module)
				IS DISTINCT FROM (excluded.type, excluded.model, excluded.firmware, excluded.language, excluded.module)`,
			int64(panel), int16(is.Type), is.Model, is.Firmware, int16(is.Language), is.Module)
		if err != nil {
			return err
		}
		return s.recordChanges(ctx, tx, panel, identityChanges(was, is))
	})
	if err != nil {
		return Survey{}, fmt.Errorf("note what panel %d is: %w", panel, err)
	}
	var finished *time.Time
	err = s.d.Pool.QueryRow(ctx, `SELECT place, due_at, finished_at FROM panel_surveys WHERE panel_id = $1`, int64(panel)).
		Scan(&v.Place, &v.DueAt, &finished)
	if err != nil {
		return Survey{}, fmt.Errorf("read how far the survey of panel %d is: %w", panel, err)
	}
	if finished != nil {
		v.FinishedAt = *finished
	}
	v.Objects, err = s.Objects(ctx, panel)
	return v, err
}

// surveyed reads what a panel said of itself last and locks it; a panel that was looked at
// before it was added is known by that.
func surveyed(ctx context.Context, tx pgx.Tx, panel ids.PanelID) (was Identity, known bool, err error) {
	var kind, language int16
	err = tx.QueryRow(ctx, `SELECT type, model, firmware, language, module FROM panel_surveys WHERE panel_id = $1 FOR UPDATE`, int64(panel)).
		Scan(&kind, &was.Model, &was.Firmware, &language, &was.Module)
	if errors.Is(err, pgx.ErrNoRows) {
		return was, false, nil
	}
	was.Type, was.Language = byte(kind), byte(language)
	return was, err == nil, err
}

func identityChanges(was, is Identity) []Change {
	var changes []Change
	note := func(what, from, to string, grave bool) {
		if from != to {
			changes = append(changes, Change{Kind: kindPanel, What: what, Was: from, Is: to, Grave: grave})
		}
	}
	modelOf := func(i Identity) string { return cmp.Or(i.Model, "0x"+strconv.FormatInt(int64(i.Type), 16)) }
	note(ChangeModel, modelOf(was), modelOf(is), true)
	note(ChangeFirmware, was.Firmware, is.Firmware, false)
	if is.Module != "" { // a module that leaves the question open has not changed
		note(ChangeModule, was.Module, is.Module, false)
	}
	return changes
}

// Heed begins a new round of reading after a while, since a record of the panel's memory,
// the sign, says that settings changed. A sign that was heeded before changes nothing.
func (s *Sites) Heed(ctx context.Context, panel ids.PanelID, sign []byte, after time.Duration) (due time.Time, heeded bool, err error) {
	err = s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		var signs []byte
		heeded = false
		err := tx.QueryRow(ctx, `SELECT signs, due_at FROM panel_surveys WHERE panel_id = $1 FOR UPDATE`, int64(panel)).Scan(&signs, &due)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		for known := range slices.Chunk(signs, len(sign)) {
			if bytes.Equal(known, sign) {
				return nil
			}
		}
		signs = append(signs, sign...)
		signs = signs[max(0, len(signs)-maxSigns*len(sign)):]
		heeded = true
		return tx.QueryRow(ctx, `UPDATE panel_surveys SET signs = $2, place = 0, due_at = dozor_now() + $3 WHERE panel_id = $1 RETURNING due_at`,
			int64(panel), signs, after).Scan(&due)
	})
	if err != nil {
		return due, false, fmt.Errorf("heed a sign of panel %d: %w", panel, err)
	}
	return due, heeded, nil
}

// Record keeps a part of a round of reading, and what it shows to be otherwise than before.
// It returns when the next round is due, zero while this one goes on.
func (s *Sites) Record(ctx context.Context, panel ids.PanelID, r Reading) (due time.Time, err error) {
	err = s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		due = time.Time{}
		var finished *time.Time
		if err := tx.QueryRow(ctx, `SELECT finished_at FROM panel_surveys WHERE panel_id = $1 FOR UPDATE`, int64(panel)).Scan(&finished); err != nil {
			return err
		}
		changes, err := changesOf(ctx, tx, panel, r, finished == nil)
		if err != nil {
			return err
		}
		if err := saveObjects(ctx, tx, panel, r.Objects); err != nil {
			return err
		}
		kinds, numbers := columnsOf(r.Absent)
		_, err = tx.Exec(ctx, `
			UPDATE panel_objects o SET gone_at = dozor_now() FROM unnest($2::text[], $3::int[]) AS n (kind, number)
			WHERE o.panel_id = $1 AND o.kind = n.kind AND o.number = n.number AND o.gone_at IS NULL`, int64(panel), kinds, numbers)
		if err != nil {
			return err
		}
		if err := s.recordChanges(ctx, tx, panel, changes); err != nil {
			return err
		}
		if r.Place != 0 {
			_, err := tx.Exec(ctx, `UPDATE panel_surveys SET place = $2 WHERE panel_id = $1`, int64(panel), r.Place)
			return err
		}
		return tx.QueryRow(ctx, `UPDATE panel_surveys SET place = 0, finished_at = dozor_now(), due_at = dozor_now() + $2 WHERE panel_id = $1 RETURNING due_at`,
			int64(panel), r.NextAfter).Scan(&due)
	})
	if err != nil {
		return due, fmt.Errorf("record what panel %d calls its parts: %w", panel, err)
	}
	return due, nil
}

func columnsOf(refs []ObjectRef) (kinds []string, numbers []int32) {
	kinds, numbers = make([]string, len(refs)), make([]int32, len(refs))
	for i, r := range refs {
		kinds[i], numbers[i] = r.Kind, int32(r.Number)
	}
	return kinds, numbers
}

// changesOf compares what was read with what is known. In a panel's first round nothing
// appears: it is only seen for the first time.
func changesOf(ctx context.Context, tx pgx.Tx, panel ids.PanelID, r Reading, first bool) ([]Change, error) {
	refs := slices.Clone(r.Absent)
	for _, o := range r.Objects {
		refs = append(refs, ObjectRef{o.Kind, o.Number})
	}
	kinds, numbers := columnsOf(refs)
	rows, err := tx.Query(ctx, `
		SELECT kind, number, name, function, coalesce(partition, 0), coalesce(serial, 0) FROM panel_objects
		JOIN unnest($2::text[], $3::int[]) AS n (kind, number) USING (kind, number) WHERE panel_id = $1 AND gone_at IS NULL`,
		int64(panel), kinds, numbers)
	if err != nil {
		return nil, err
	}
	before, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Object])
	if err != nil {
		return nil, err
	}
	known := make(map[ObjectRef]Object, len(before))
	for _, o := range before {
		known[ObjectRef{o.Kind, o.Number}] = o
	}
	var changes []Change
	for _, is := range r.Objects {
		was, there := known[ObjectRef{is.Kind, is.Number}]
		switch {
		case there:
			changes = append(changes, objectChanges(was, is)...)
		case !first:
			changes = append(changes, Change{Kind: is.Kind, Number: is.Number, Name: is.Name, What: ChangeAppeared, Is: is.Name})
		}
	}
	for _, ref := range r.Absent {
		if was, there := known[ref]; there {
			changes = append(changes, Change{Kind: ref.Kind, Number: ref.Number, Name: was.Name, What: ChangeVanished, Was: was.Name, Grave: ref.Kind == "zone"})
		}
	}
	return changes, nil
}

// objectChanges says how an object differs from before. What may keep a zone from raising
// the alarm that it raised is grave.
func objectChanges(was, is Object) []Change {
	var changes []Change
	note := func(differs bool, what, from, to string) {
		if differs {
			grave := is.Kind == "zone" && what != ChangeName
			changes = append(changes, Change{Kind: is.Kind, Number: is.Number, Name: is.Name, What: what, Was: from, Is: to, Grave: grave})
		}
	}
	another := was.Serial != 0 && is.Serial != 0 && was.Serial != is.Serial
	note(another, ChangePerson, was.Name, is.Name)
	note(!another && was.Name != is.Name, ChangeName, was.Name, is.Name)
	note(was.Function != is.Function, ChangeFunction, strconv.Itoa(was.Function), strconv.Itoa(is.Function))
	moved := was.Partition != 0 && is.Partition != 0 && was.Partition != is.Partition
	note(moved, ChangePartition, strconv.Itoa(was.Partition), strconv.Itoa(is.Partition))
	return changes
}

func (s *Sites) recordChanges(ctx context.Context, tx pgx.Tx, panel ids.PanelID, changes []Change) error {
	if len(changes) == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	grave := 0
	for _, c := range changes {
		batch.Queue(`INSERT INTO panel_changes (panel_id, kind, number, name, what, was, now, grave) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			int64(panel), c.Kind, c.Number, c.Name, c.What, c.Was, c.Is, c.Grave)
		if c.Grave {
			grave++
		}
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	entry := audit.ByRule("survey", "panel.changed", "panel", int64(panel))
	entry.Details = map[string]any{"changes": len(changes), "grave": grave}
	return s.d.Audit.Append(ctx, tx, entry)
}
