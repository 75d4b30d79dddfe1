package presence

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"dozor/internal/wire"
)

// columns are seats as arguments of a statement.
type columns struct {
	seats   []int64
	ids     []uuid.UUID
	users   []int64
	sounds  []bool
	visible []bool
	alarms  []int64
}

func (c *columns) add(s *Seat) {
	c.seats, c.ids, c.users = append(c.seats, s.number), append(c.ids, s.desk.ID), append(c.users, int64(s.user))
	c.sounds, c.visible = append(c.sounds, s.desk.CanSound), append(c.visible, s.desk.Visible)
	c.alarms = append(c.alarms, int64(s.desk.AlarmID))
}

// Rows of dead instances are anybody's to remove, long after they have stopped to count.
const refresh = `
WITH mine AS MATERIALIZED (
    SELECT * FROM unnest($2::bigint[], $3::uuid[], $4::bigint[], $5::boolean[], $6::boolean[], $7::bigint[])
        AS d (seat, id, user_id, can_sound, visible, alarm_id)
), gone AS (
    DELETE FROM desks WHERE instance = $1 AND seat <> ALL (coalesce($2::bigint[], '{}'))
), dead AS (
    DELETE FROM desks WHERE (instance, seat) IN (
        SELECT instance, seat FROM desks WHERE instance <> $1 AND seen_at < dozor_now() - interval '1 minute'
        FOR UPDATE SKIP LOCKED)
), sounding AS (
    UPDATE desk_watch SET sounding_at = dozor_now() WHERE EXISTS (SELECT FROM mine WHERE can_sound)
)
INSERT INTO desks AS d (instance, seat, id, user_id, can_sound, visible, alarm_id)
SELECT $1, seat, id, user_id, can_sound, visible, nullif(alarm_id, 0) FROM mine
ON CONFLICT (instance, seat) DO UPDATE SET
    id = excluded.id, can_sound = excluded.can_sound, visible = excluded.visible, alarm_id = excluded.alarm_id, seen_at = excluded.seen_at`

// Refresh writes this instance's windows as they are now, and none that have left.
func (p *Presence) Refresh(ctx context.Context) error {
	c := p.present()
	if _, err := p.cfg.Pool.Exec(ctx, refresh, p.cfg.Instance, c.seats, c.ids, c.users, c.sounds, c.visible, c.alarms); err != nil {
		return fmt.Errorf("write who sits where: %w", err)
	}
	return nil
}

// A window has two connections for a moment when it reconnects, and for longer when
// somebody doubled a tab: what the newer one shows, and a tone that either can play.
const list = `
SELECT DISTINCT ON (d.user_id, d.id) u.id, u.name, d.id::text,
    bool_or(d.can_sound) OVER (PARTITION BY d.user_id, d.id), d.visible, coalesce(d.alarm_id, 0),
    min(d.since) OVER (PARTITION BY d.user_id, d.id)
FROM desks d JOIN users u ON u.id = d.user_id
WHERE d.seen_at > dozor_now() - $1::interval
ORDER BY d.user_id, d.id, d.since DESC
LIMIT $2`

// List reads the windows of all instances, by person.
func (p *Presence) List(ctx context.Context) ([]wire.Desk, error) {
	rows, err := p.cfg.Pool.Query(ctx, list, Lapse, MaxDesks)
	if err != nil {
		return nil, fmt.Errorf("read who sits where: %w", err)
	}
	desks, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (wire.Desk, error) {
		var d wire.Desk
		err := r.Scan(&d.User.ID, &d.User.Name, &d.ID, &d.CanSound, &d.Visible, &d.AlarmID, &d.Since)
		d.Since = d.Since.UTC()
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("read who sits where: %w", err)
	}
	return desks, nil
}

// vanish takes the rows of an instance that stops, so that nobody counts on them for
// the rest of their time. Without the database they lapse.
func (p *Presence) vanish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	if _, err := p.cfg.Pool.Exec(ctx, "DELETE FROM desks WHERE instance = $1", p.cfg.Instance); err != nil {
		p.cfg.Logger.Debug("the windows of this instance are left to lapse", "err", err)
	}
}
