package site

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/pg"
	"dozor/internal/secret"
	"dozor/satel"
)

// NewPanel is what a panel begins with.
type NewPanel struct {
	SiteID    ids.SiteID
	Name      string
	Host      string
	Port      int
	Code      secret.Redacted // user code: 4 to 8 digits
	Key       secret.Redacted // integration key of the module, empty where it speaks plainly
	LinkGrace time.Duration   // silence that becomes an alarm; DefaultLinkGrace where it is 0
	Enabled   bool
	// What a probe has read; may be empty.
	Model, Firmware string
	Objects         []Object
}

// Bounds of how long a panel may be silent before that is an alarm.
const (
	DefaultLinkGrace = 30 * time.Second
	MinLinkGrace     = 10 * time.Second
	MaxLinkGrace     = 24 * time.Hour
)

var hostName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?$`)

func badPanel(sentence string) error { return errs.New(errs.Invalid, "invalid_panel", sentence) }

// CheckAddress says whether a panel can be at a host and port, and how the host is written.
func CheckAddress(host string, port int) (string, error) {
	host = tidyHost(host)
	if _, err := netip.ParseAddr(host); err != nil && !hostName.MatchString(host) {
		return "", badPanel("The host must be a name or an IP address, without a port.")
	}
	if port < 1 || port > 65535 {
		return "", badPanel("The port must lie between 1 and 65535.")
	}
	return host, nil
}

// CheckCode says whether a panel takes it for a user code.
func CheckCode(code secret.Redacted) error {
	if _, err := satel.EncodeUserCode(code.Reveal(), "", satel.UserCodeSize); err != nil {
		return badPanel("The user code must have 4 to 8 digits.")
	}
	return nil
}

// CheckKey says whether a module can have it as its integration key. An empty one means a
// module that does not encrypt.
func CheckKey(key secret.Redacted) error {
	if _, err := satel.NewCipher(key.Reveal()); err != nil {
		return badPanel("The integration key may have letters without marks, digits and signs only, as it was typed in DLOADX.")
	}
	if len(key) > satel.KeySize {
		return badPanel("The integration key has at most 12 characters.")
	}
	return nil
}

func (n *NewPanel) check() error {
	var err error
	if n.Host, err = CheckAddress(n.Host, n.Port); err != nil {
		return err
	}
	if err := CheckCode(n.Code); err != nil {
		return err
	}
	if err := CheckKey(n.Key); err != nil {
		return err
	}
	if n.LinkGrace == 0 {
		n.LinkGrace = DefaultLinkGrace
	}
	if n.LinkGrace < MinLinkGrace || n.LinkGrace > MaxLinkGrace {
		return badPanel("The grace of a lost link must lie between 10 seconds and a day.")
	}
	return tidy("invalid_panel", text{what: "The name", value: &n.Name, max: maxName})
}

// CreatePanel adds a panel to a site.
func (s *Sites) CreatePanel(ctx context.Context, by access.Principal, n NewPanel) (ids.PanelID, error) {
	if err := n.check(); err != nil {
		return 0, err
	}
	var id ids.PanelID
	err := s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		if _, err := guarded(ctx, tx, n.SiteID); err != nil {
			return err
		}
		var err error
		id, err = s.insertPanel(ctx, tx, by, n, 0)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("create a panel at site %d: %w", n.SiteID, err)
	}
	return id, nil
}

// insertPanel adds a panel of checked data at a locked site.
func (s *Sites) insertPanel(ctx context.Context, tx pgx.Tx, by access.Principal, n NewPanel, replaces ids.PanelID) (ids.PanelID, error) {
	var id ids.PanelID
	err := tx.QueryRow(ctx, `
		INSERT INTO panels (site_id, name, host, port, code_secret, enabled, link_grace, model, firmware, replaces_id, key_secret)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, nullif($10::bigint, 0), $11) RETURNING id`,
		int64(n.SiteID), n.Name, n.Host, n.Port, s.d.Keyring.Seal([]byte(n.Code.Reveal())), n.Enabled, n.LinkGrace, n.Model, n.Firmware, int64(replaces),
		s.sealKey(n.Key)).
		Scan((*int64)(&id))
	if pg.Code(err) == uniqueViolation {
		return 0, ErrAddressTaken
	}
	if err != nil {
		return 0, err
	}
	if len(n.Objects) > 0 {
		if err := saveObjects(ctx, tx, id, n.Objects); err != nil {
			return 0, err
		}
	}
	entry := audit.By(by, "panel.create", "panel", int64(id))
	entry.Details = map[string]any{"site_id": n.SiteID, "host": n.Host, "port": n.Port, "enabled": n.Enabled, "encrypted": n.Key != ""}
	if replaces != 0 {
		entry.Details["replaces"] = replaces
	}
	return id, s.d.Audit.Append(ctx, tx, entry)
}

// sealKey is how an integration key is stored: none is null.
func (s *Sites) sealKey(key secret.Redacted) []byte {
	if key == "" {
		return nil
	}
	return s.d.Keyring.Seal([]byte(key.Reveal()))
}

// PanelChange says what is to be different; nil fields stay.
type PanelChange struct {
	Name      *string
	Host      *string
	Port      *int
	Code      *secret.Redacted
	Key       *secret.Redacted // an empty one removes it
	LinkGrace *time.Duration
	Enabled   *bool
}

// storedPanel is what a change needs of the row.
type storedPanel struct {
	site      ids.SiteID
	name      string
	host      string
	port      int
	sealed    []byte
	sealedKey []byte // null: none
	enabled   bool
	grace     time.Duration
	retiredAt *time.Time
	version   int64
}

// lockPanel locks the panel's site, then the panel, and refuses what is retired.
func lockPanel(ctx context.Context, tx pgx.Tx, id ids.PanelID) (storedPanel, error) {
	var p storedPanel
	err := tx.QueryRow(ctx, "SELECT site_id FROM panels WHERE id = $1", int64(id)).Scan((*int64)(&p.site))
	if errors.Is(err, pgx.ErrNoRows) {
		return p, ErrPanelNotFound
	}
	if err != nil {
		return p, err
	}
	if _, err := getSite(ctx, tx, p.site, "FOR NO KEY UPDATE"); err != nil {
		return p, err
	}
	err = tx.QueryRow(ctx, `
		SELECT name, host, port, code_secret, key_secret, enabled, link_grace, retired_at, version FROM panels WHERE id = $1 FOR NO KEY UPDATE`, int64(id)).
		Scan(&p.name, &p.host, &p.port, &p.sealed, &p.sealedKey, &p.enabled, &p.grace, &p.retiredAt, &p.version)
	switch {
	case err != nil:
		return p, err
	case p.retiredAt != nil:
		return p, ErrPanelRetired
	}
	return p, nil
}

// errSeenOther says inside of a transaction that the version is another one; the view for
// the editor is made outside of it.
var errSeenOther = errors.New("another version")

// EditPanel changes a panel over the version that the editor saw. Workers follow a new
// address, code, integration key or enabling within seconds.
func (s *Sites) EditPanel(ctx context.Context, by access.Principal, id ids.PanelID, seen int64, c PanelChange) (Panel, error) {
	err := s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		p, err := lockPanel(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case p.version != seen:
			return errSeenOther
		}
		return s.editPanel(ctx, tx, by, id, p, c)
	})
	if err != nil && !errors.Is(err, errSeenOther) {
		return Panel{}, fmt.Errorf("edit panel %d: %w", id, err)
	}
	view, viewErr := s.Panel(ctx, id)
	switch {
	case viewErr != nil:
		return Panel{}, viewErr
	case err != nil:
		return Panel{}, errs.VersionMismatch("panel", view)
	}
	return view, nil
}

func (s *Sites) editPanel(ctx context.Context, tx pgx.Tx, by access.Principal, id ids.PanelID, p storedPanel, c PanelChange) error {
	code, err := s.reopen(p.sealed, c.Code != nil)
	if err != nil {
		return fmt.Errorf("open its code: %w", err)
	}
	key, err := s.reopen(p.sealedKey, c.Key != nil)
	if err != nil {
		return fmt.Errorf("open its integration key: %w", err)
	}
	before := NewPanel{Name: p.name, Host: p.host, Port: p.port, Code: code, Key: key, LinkGrace: p.grace, Enabled: p.enabled}
	n := before
	set(&n.Name, c.Name)
	set(&n.Host, c.Host)
	set(&n.Port, c.Port)
	set(&n.Code, c.Code)
	set(&n.Key, c.Key)
	set(&n.LinkGrace, c.LinkGrace)
	set(&n.Enabled, c.Enabled)
	if err := n.check(); err != nil {
		return err
	}
	details := map[string]any{"version": p.version + 1}
	note := func(what string, was, is any, same bool) {
		if !same {
			details[what] = map[string]any{"was": was, "is": is}
		}
	}
	note("name", before.Name, n.Name, before.Name == n.Name)
	note("host", before.Host, n.Host, before.Host == n.Host)
	note("port", before.Port, n.Port, before.Port == n.Port)
	note("link_grace_s", int(before.LinkGrace.Seconds()), int(n.LinkGrace.Seconds()), before.LinkGrace == n.LinkGrace)
	note("enabled", before.Enabled, n.Enabled, before.Enabled == n.Enabled)
	sealed := p.sealed
	if n.Code != before.Code {
		details["code"] = "changed"
		sealed = s.d.Keyring.Seal([]byte(n.Code.Reveal()))
	}
	sealedKey := p.sealedKey
	rekeyed := c.Key != nil && (n.Key != before.Key || n.Key == "" && p.sealedKey != nil)
	if rekeyed {
		sealedKey = s.sealKey(n.Key)
		details["integration_key"] = "changed"
		if sealedKey == nil {
			details["integration_key"] = "removed"
		}
	}
	moved := n.Host != before.Host || n.Port != before.Port || n.Enabled != before.Enabled || n.Code != before.Code || rekeyed
	_, err = tx.Exec(ctx, `
		UPDATE panels SET name = $2, host = $3, port = $4, code_secret = $5, link_grace = $6, enabled = $7, key_secret = $9, version = version + 1,
			reach = reach + CASE WHEN $8 THEN 1 ELSE 0 END,
			watched_since = CASE WHEN $7 AND NOT enabled THEN dozor_now() ELSE watched_since END WHERE id = $1`,
		int64(id), n.Name, n.Host, n.Port, sealed, n.LinkGrace, n.Enabled, moved, sealedKey)
	if pg.Code(err) == uniqueViolation {
		return ErrAddressTaken
	}
	if err != nil {
		return err
	}
	entry := audit.By(by, "panel.edit", "panel", int64(id))
	entry.Details = details
	return s.d.Audit.Append(ctx, tx, entry)
}

// reopen opens what is sealed. What can't be opened any more is one more reason to give a
// new one, and no error then.
func (s *Sites) reopen(sealed []byte, givenAnew bool) (secret.Redacted, error) {
	if sealed == nil {
		return "", nil
	}
	opened, err := s.d.Keyring.Open(sealed)
	if err != nil && !givenAnew {
		return "", err
	}
	return secret.Redacted(opened), nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// RetirePanel ends the watching of a panel for good; its address may be another's.
func (s *Sites) RetirePanel(ctx context.Context, by access.Principal, id ids.PanelID, reason string) (Panel, error) {
	if err := tidy("invalid_panel", text{what: "The reason", value: &reason, max: maxReason, must: true}); err != nil {
		return Panel{}, err
	}
	err := s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		if _, err := lockPanel(ctx, tx, id); err != nil {
			return err
		}
		return s.retirePanel(ctx, tx, by, id, reason)
	})
	if err != nil {
		return Panel{}, fmt.Errorf("retire panel %d: %w", id, err)
	}
	return s.Panel(ctx, id)
}

func (s *Sites) retirePanel(ctx context.Context, tx pgx.Tx, by access.Principal, id ids.PanelID, reason string) error {
	_, err := tx.Exec(ctx, `
		UPDATE panels SET retired_at = dozor_now(), enabled = false, version = version + 1, reach = reach + 1 WHERE id = $1`, int64(id))
	if err != nil {
		return err
	}
	entry := audit.By(by, "panel.retire", "panel", int64(id))
	entry.Personal = map[string]string{"reason": reason}
	return s.d.Audit.Append(ctx, tx, entry)
}

// ReplacePanel retires a panel and puts another in its place, in one transaction. The new
// one has the old one's name where it is given none, and its grace of a lost link.
func (s *Sites) ReplacePanel(ctx context.Context, by access.Principal, old ids.PanelID, n NewPanel, reason string) (Panel, error) {
	if err := tidy("invalid_panel", text{what: "The reason", value: &reason, max: maxReason, must: true}); err != nil {
		return Panel{}, err
	}
	if err := n.check(); err != nil {
		return Panel{}, err
	}
	var id ids.PanelID
	err := s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		p, err := lockPanel(ctx, tx, old)
		if err != nil {
			return err
		}
		if err := s.retirePanel(ctx, tx, by, old, reason); err != nil {
			return err
		}
		n.SiteID, n.LinkGrace, n.Enabled = p.site, p.grace, true
		if n.Name == "" {
			n.Name = p.name
		}
		id, err = s.insertPanel(ctx, tx, by, n, old)
		return err
	})
	if err != nil {
		return Panel{}, fmt.Errorf("replace panel %d: %w", old, err)
	}
	return s.Panel(ctx, id)
}
