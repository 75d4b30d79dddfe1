package site

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/ids"
)

// NewSite is what people say of a site. Risk is normal where it is empty.
type NewSite struct {
	Name, Address, City, District, Provider, Risk, Contract, Notes string
	Latitude, Longitude                                            *float64
}

// Bounds of what people write, in characters.
const (
	maxName   = 200
	maxLine   = 300
	maxWord   = 100
	maxNotes  = 10_000
	maxReason = 500
)

// text is a piece of input with the name that people know it by.
type text struct {
	what  string
	value *string
	max   int
	lines bool // may have several
	must  bool // may not be empty
}

// tidy trims texts and says what is wrong with the first that can't be taken.
func tidy(code string, texts ...text) error {
	for _, t := range texts {
		*t.value = strings.TrimSpace(*t.value)
		switch v := *t.value; {
		case t.must && v == "":
			return errs.New(errs.Invalid, code, fmt.Sprintf("%s must not be empty.", t.what))
		case utf8.RuneCountInString(v) > t.max:
			return errs.New(errs.Invalid, code, fmt.Sprintf("%s must have at most %d characters.", t.what, t.max))
		case !utf8.ValidString(v), strings.ContainsFunc(v, func(r rune) bool { return unicode.IsControl(r) && (!t.lines || r != '\n' && r != '\r' && r != '\t') }):
			return errs.New(errs.Invalid, code, fmt.Sprintf("%s must not have control characters.", t.what))
		}
	}
	return nil
}

func (n *NewSite) check() error {
	if n.Risk == "" {
		n.Risk = "normal"
	}
	err := tidy("invalid_site",
		text{what: "The name", value: &n.Name, max: maxName, must: true}, text{what: "The address", value: &n.Address, max: maxLine},
		text{what: "The city", value: &n.City, max: maxWord}, text{what: "The district", value: &n.District, max: maxWord},
		text{what: "The provider", value: &n.Provider, max: maxWord}, text{what: "The contract", value: &n.Contract, max: maxWord},
		text{what: "The notes", value: &n.Notes, max: maxNotes, lines: true})
	if err != nil {
		return err
	}
	switch n.Risk {
	case "low", "normal", "high":
	default:
		return errs.New(errs.Invalid, "invalid_site", "The risk must be low, normal or high.")
	}
	switch {
	case (n.Latitude == nil) != (n.Longitude == nil):
		return errs.New(errs.Invalid, "invalid_site", "Latitude and longitude come together or not at all.")
	case n.Latitude == nil:
		return nil
	case !(*n.Latitude >= -90 && *n.Latitude <= 90):
		return errs.New(errs.Invalid, "invalid_site", "The latitude must lie between -90 and 90.")
	case !(*n.Longitude >= -180 && *n.Longitude <= 180):
		return errs.New(errs.Invalid, "invalid_site", "The longitude must lie between -180 and 180.")
	}
	return nil
}

// TakesPanels says whether panels can be added to a site, and what keeps them away.
func (s *Sites) TakesPanels(ctx context.Context, id ids.SiteID) error {
	site, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	return site.takesChanges()
}

// CreateSite adds a site.
func (s *Sites) CreateSite(ctx context.Context, by access.Principal, n NewSite) (ids.SiteID, error) {
	if err := n.check(); err != nil {
		return 0, err
	}
	var id int64
	err := s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `
			INSERT INTO sites (name, address, city, district, provider, risk, contract, notes, latitude, longitude)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id`,
			n.Name, n.Address, n.City, n.District, n.Provider, n.Risk, n.Contract, n.Notes, n.Latitude, n.Longitude).Scan(&id)
		if err != nil {
			return err
		}
		entry := audit.By(by, "site.create", "site", id)
		entry.Personal = map[string]string{"name": n.Name, "address": n.Address}
		return s.d.Audit.Append(ctx, tx, entry)
	})
	if err != nil {
		return 0, fmt.Errorf("create a site: %w", err)
	}
	return ids.SiteID(id), nil
}

// EditSite writes a site anew over the version that the editor saw.
func (s *Sites) EditSite(ctx context.Context, by access.Principal, id ids.SiteID, seen int64, n NewSite) (Site, error) {
	if err := n.check(); err != nil {
		return Site{}, err
	}
	var after Site
	err := s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		before, err := guarded(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case before.Version != seen:
			return errs.VersionMismatch("site", before)
		}
		_, err = tx.Exec(ctx, `
			UPDATE sites SET name = $2, address = $3, city = $4, district = $5, provider = $6, risk = $7, contract = $8, notes = $9,
				latitude = $10, longitude = $11, version = version + 1 WHERE id = $1`,
			int64(id), n.Name, n.Address, n.City, n.District, n.Provider, n.Risk, n.Contract, n.Notes, n.Latitude, n.Longitude)
		if err != nil {
			return err
		}
		if after, err = getSite(ctx, tx, id, ""); err != nil {
			return err
		}
		entry := audit.By(by, "site.edit", "site", int64(id))
		entry.Details = map[string]any{"version": after.Version, "changed": changedFields(before, after)}
		entry.Personal = map[string]string{}
		if before.Name != after.Name {
			entry.Personal["name"] = after.Name
		}
		if before.Address != after.Address {
			entry.Personal["address"] = after.Address
		}
		return s.d.Audit.Append(ctx, tx, entry)
	})
	if err != nil {
		return Site{}, fmt.Errorf("edit site %d: %w", id, err)
	}
	return after, nil
}

func changedFields(a, b Site) []string {
	changed := []string{}
	for _, f := range []struct {
		name string
		same bool
	}{
		{"name", a.Name == b.Name},
		{"address", a.Address == b.Address},
		{"city", a.City == b.City},
		{"district", a.District == b.District},
		{"provider", a.Provider == b.Provider},
		{"risk", a.Risk == b.Risk},
		{"contract", a.Contract == b.Contract},
		{"notes", a.Notes == b.Notes},
		{"coordinates", sameNumber(a.Latitude, b.Latitude) && sameNumber(a.Longitude, b.Longitude)},
	} {
		if !f.same {
			changed = append(changed, f.name)
		}
	}
	return changed
}

func sameNumber(a, b *float64) bool { return a == b || a != nil && b != nil && *a == *b }

// RetireSite ends the guarding of a site that has no panels any more.
func (s *Sites) RetireSite(ctx context.Context, by access.Principal, id ids.SiteID, reason string) (Site, error) {
	if err := tidy("invalid_site", text{what: "The reason", value: &reason, max: maxReason, must: true}); err != nil {
		return Site{}, err
	}
	var after Site
	err := s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		// The lock keeps panels from being added meanwhile: they lock the site too.
		if _, err := guarded(ctx, tx, id); err != nil {
			return err
		}
		var has bool
		err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM panels WHERE site_id = $1 AND retired_at IS NULL)", int64(id)).Scan(&has)
		switch {
		case err != nil:
			return err
		case has:
			return ErrHasPanels
		}
		if _, err := tx.Exec(ctx, "UPDATE sites SET retired_at = dozor_now(), version = version + 1 WHERE id = $1", int64(id)); err != nil {
			return err
		}
		if after, err = getSite(ctx, tx, id, ""); err != nil {
			return err
		}
		entry := audit.By(by, "site.retire", "site", int64(id))
		entry.Details = map[string]any{"version": after.Version}
		entry.Personal = map[string]string{"reason": reason}
		return s.d.Audit.Append(ctx, tx, entry)
	})
	if err != nil {
		return Site{}, fmt.Errorf("retire site %d: %w", id, err)
	}
	return after, nil
}
