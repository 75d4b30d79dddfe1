package site

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/ids"
	"dozor/satel"
)

// Change is something that changed on a panel while it was watched.
type Change struct {
	ID     int64     `json:"id"`
	Kind   string    `json:"kind" enum:"panel,partition,zone,output,user,expander,keypad"`
	Number int       `json:"number,omitempty"`
	Name   string    `json:"name,omitempty" doc:"Of the object, when it changed"`
	What   string    `json:"what" enum:"appeared,vanished,name,function,partition,person,model,firmware,module"`
	Was    string    `json:"was,omitempty" doc:"Of a function its number"`
	Is     string    `json:"is,omitempty"`
	At     time.Time `json:"at"`
	Grave  bool      `json:"grave,omitempty" doc:"It may keep an alarm from being raised; the station tells of it"`
	// Words for the functions, where the table has them.
	WasPL string `json:"was_pl,omitempty"`
	WasEN string `json:"was_en,omitempty"`
	IsPL  string `json:"is_pl,omitempty"`
	IsEN  string `json:"is_en,omitempty"`
}

// Changes returns what changed on a panel, newest first, at most limit, below an id (0: from
// the newest); next is 0 at the end.
func (s *Sites) Changes(ctx context.Context, panel ids.PanelID, before int64, limit int) (changes []Change, next int64, err error) {
	if _, err := s.Panel(ctx, panel); err != nil {
		return nil, 0, err
	}
	rows, err := s.d.Pool.Query(ctx, `
		SELECT id, kind, number, name, what, was, now, at, grave FROM panel_changes
		WHERE panel_id = $1 AND ($2::bigint = 0 OR id < $2) ORDER BY id DESC LIMIT $3`, int64(panel), before, limit+1)
	if err != nil {
		return nil, 0, fmt.Errorf("list the changes of panel %d: %w", panel, err)
	}
	changes, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Change, error) {
		var c Change
		err := row.Scan(&c.ID, &c.Kind, &c.Number, &c.Name, &c.What, &c.Was, &c.Is, &c.At, &c.Grave)
		c.word()
		return c, err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list the changes of panel %d: %w", panel, err)
	}
	if len(changes) > limit {
		changes = changes[:limit]
		next = changes[limit-1].ID
	}
	return changes, next, nil
}

var typeKinds = map[string]satel.TypeKind{
	"partition": satel.TypePartition, "zone": satel.TypeZoneReaction, "output": satel.TypeOutput,
	"expander": satel.TypeExpander, "keypad": satel.TypeKeypad,
}

func (c *Change) word() {
	kind, ok := typeKinds[c.Kind]
	if !ok || c.What != ChangeFunction {
		return
	}
	words := func(function string) (pl, en string) {
		n, err := strconv.ParseUint(function, 10, 8)
		if err != nil {
			return "", ""
		}
		info, _ := satel.LookupType(kind, byte(n))
		return info.NamePL, info.NameEN
	}
	c.WasPL, c.WasEN = words(c.Was)
	c.IsPL, c.IsEN = words(c.Is)
}
