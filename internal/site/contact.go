package site

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"dozor/internal/access"
	"dozor/internal/audit"
	"dozor/internal/errs"
	"dozor/internal/ids"
	"dozor/internal/secret"
)

// Contact is somebody to call about a site, as clients see them.
type Contact struct {
	ID        ids.ContactID `json:"id"`
	SiteID    ids.SiteID    `json:"site_id"`
	Position  int           `json:"position" doc:"In which order to call, from 1"`
	Name      string        `json:"name"`
	Role      string        `json:"role" doc:"Owner, keyholder, neighbour"`
	Phones    []MaskedPhone `json:"phones"`
	Notes     string        `json:"notes"`
	CheckedAt *time.Time    `json:"checked_at,omitempty" doc:"When somebody last made sure that it is still true"`
	Version   int64         `json:"version"`
}

const maxContacts = 50

const contactColumns = `c.id, c.site_id, c.position, c.name, c.role, c.notes, c.checked_at, c.version`

// Contacts returns whom to call about a site, in order.
func (s *Sites) Contacts(ctx context.Context, site ids.SiteID) ([]Contact, error) {
	contacts, err := s.contacts(ctx, s.d.Pool, "c.site_id = $1 ORDER BY c.position, c.id LIMIT $2", int64(site), maxContacts)
	if err != nil {
		return nil, fmt.Errorf("list the contacts of site %d: %w", site, err)
	}
	return contacts, nil
}

// Contact returns one; ErrContactNotFound where there is none.
func (s *Sites) Contact(ctx context.Context, id ids.ContactID) (Contact, error) {
	contact, err := s.contact(ctx, s.d.Pool, id)
	if err != nil {
		return Contact{}, fmt.Errorf("get contact %d: %w", id, err)
	}
	return contact, nil
}

func (s *Sites) contact(ctx context.Context, q querier, id ids.ContactID) (Contact, error) {
	contacts, err := s.contacts(ctx, q, "c.id = $1", int64(id))
	switch {
	case err != nil:
		return Contact{}, err
	case len(contacts) == 0:
		return Contact{}, ErrContactNotFound
	}
	return contacts[0], nil
}

func (s *Sites) contacts(ctx context.Context, q querier, which string, args ...any) ([]Contact, error) {
	rows, err := q.Query(ctx, "SELECT "+contactColumns+" FROM contacts c WHERE "+which, args...)
	if err != nil {
		return nil, err
	}
	contacts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Contact, error) {
		c := Contact{Phones: []MaskedPhone{}}
		err := row.Scan(&c.ID, &c.SiteID, &c.Position, &c.Name, &c.Role, &c.Notes, &c.CheckedAt, &c.Version)
		return c, err
	})
	if err != nil || len(contacts) == 0 {
		return contacts, err
	}
	numbers := make([]int64, len(contacts))
	at := make(map[int64]int, len(contacts))
	for i, c := range contacts {
		numbers[i], at[int64(c.ID)] = int64(c.ID), i
	}
	rows, err = q.Query(ctx, "SELECT contact_id, id, label, masked FROM contact_phones WHERE contact_id = ANY ($1) ORDER BY contact_id, position, id", numbers)
	if err != nil {
		return nil, err
	}
	var contact int64
	var p MaskedPhone
	_, err = pgx.ForEachRow(rows, []any{&contact, &p.ID, &p.Label, &p.Masked}, func() error {
		contacts[at[contact]].Phones = append(contacts[at[contact]].Phones, p)
		return nil
	})
	return contacts, err
}

// NewContact is what a contact begins with.
type NewContact struct {
	Name, Role, Notes string
	Phones            []Phone
}

func (n *NewContact) check() error {
	err := tidy("invalid_contact", text{what: "The name", value: &n.Name, max: maxName, must: true},
		text{what: "The role", value: &n.Role, max: maxWord}, text{what: "The notes", value: &n.Notes, max: maxNotes, lines: true})
	if err != nil {
		return err
	}
	return checkPhones(n.Phones)
}

func checkPhones(phones []Phone) error {
	if len(phones) > maxPhones {
		return errs.New(errs.Invalid, "invalid_contact", fmt.Sprintf("A contact has at most %d phone numbers.", maxPhones))
	}
	for i := range phones {
		if err := phones[i].check(); err != nil {
			return err
		}
	}
	return nil
}

// AddContact adds somebody to call, as the last in order.
func (s *Sites) AddContact(ctx context.Context, by access.Principal, site ids.SiteID, n NewContact) (Contact, error) {
	if err := n.check(); err != nil {
		return Contact{}, err
	}
	var contact Contact
	err := s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		if err := lockForContacts(ctx, tx, site); err != nil {
			return err
		}
		var has, last int
		err := tx.QueryRow(ctx, "SELECT count(*), coalesce(max(position), 0) FROM contacts WHERE site_id = $1", int64(site)).Scan(&has, &last)
		switch {
		case err != nil:
			return err
		case has >= maxContacts:
			return errs.New(errs.Conflict, "too_many_contacts", fmt.Sprintf("A site has at most %d contacts.", maxContacts))
		}
		var id ids.ContactID
		err = tx.QueryRow(ctx, "INSERT INTO contacts (site_id, position, name, role, notes) VALUES ($1, $2, $3, $4, $5) RETURNING id",
			int64(site), last+1, n.Name, n.Role, n.Notes).Scan((*int64)(&id))
		if err != nil {
			return err
		}
		if err := s.putPhones(ctx, tx, id, n.Phones); err != nil {
			return err
		}
		if contact, err = s.contact(ctx, tx, id); err != nil {
			return err
		}
		entry := audit.By(by, "contact.create", "contact", int64(id))
		entry.Details = map[string]any{"site_id": site, "phones": len(n.Phones)}
		entry.Personal = map[string]string{"name": n.Name}
		return s.d.Audit.Append(ctx, tx, entry)
	})
	if err != nil {
		return Contact{}, fmt.Errorf("add a contact to site %d: %w", site, err)
	}
	return contact, nil
}

// lockForContacts locks the site, which orders changes of its contacts. The station itself
// may have some: somebody is called when it fails.
func lockForContacts(ctx context.Context, tx pgx.Tx, site ids.SiteID) error {
	_, err := guarded(ctx, tx, site)
	if errors.Is(err, ErrOwn) {
		return nil
	}
	return err
}

// putPhones makes these the numbers of a contact, and no others.
func (s *Sites) putPhones(ctx context.Context, tx pgx.Tx, id ids.ContactID, phones []Phone) error {
	if _, err := tx.Exec(ctx, "DELETE FROM contact_phones WHERE contact_id = $1", int64(id)); err != nil {
		return err
	}
	for i, p := range phones {
		_, err := tx.Exec(ctx, "INSERT INTO contact_phones (contact_id, position, label, number_secret, masked) VALUES ($1, $2, $3, $4, $5)",
			int64(id), i+1, p.Label, s.d.Keyring.Seal([]byte(p.Number.Reveal())), mask(p.Number.Reveal()))
		if err != nil {
			return err
		}
	}
	return nil
}

// ContactChange says what is to be different; nil fields stay. Phones, where given, are all
// of them.
type ContactChange struct {
	Name, Role, Notes *string
	Phones            *[]Phone
	Checked           bool // somebody has just made sure that it is still true
}

// EditContact changes a contact over the version that the editor saw.
func (s *Sites) EditContact(ctx context.Context, by access.Principal, id ids.ContactID, seen int64, change ContactChange) (Contact, error) {
	var after Contact
	err := s.changeContact(ctx, id, seen, func(tx pgx.Tx, before Contact) error {
		n := NewContact{Name: before.Name, Role: before.Role, Notes: before.Notes}
		changed := []string{}
		for _, f := range []struct {
			what string
			from *string
			to   *string
		}{{"name", change.Name, &n.Name}, {"role", change.Role, &n.Role}, {"notes", change.Notes, &n.Notes}} {
			if f.from != nil {
				*f.to = *f.from
				changed = append(changed, f.what)
			}
		}
		if change.Phones != nil {
			n.Phones = *change.Phones
			changed = append(changed, "phones")
		}
		if err := n.check(); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			UPDATE contacts SET name = $2, role = $3, notes = $4, version = version + 1,
				checked_at = CASE WHEN $5 THEN dozor_now() ELSE checked_at END WHERE id = $1`,
			int64(id), n.Name, n.Role, n.Notes, change.Checked)
		if err != nil {
			return err
		}
		if change.Phones != nil {
			if err := s.putPhones(ctx, tx, id, n.Phones); err != nil {
				return err
			}
		}
		if after, err = s.contact(ctx, tx, id); err != nil {
			return err
		}
		entry := audit.By(by, "contact.edit", "contact", int64(id))
		entry.Details = map[string]any{
			"site_id": before.SiteID, "version": after.Version, "changed": changed, "phones": len(after.Phones), "checked": change.Checked,
		}
		if before.Name != after.Name {
			entry.Personal = map[string]string{"name": after.Name}
		}
		return s.d.Audit.Append(ctx, tx, entry)
	})
	if err != nil {
		return Contact{}, fmt.Errorf("edit contact %d: %w", id, err)
	}
	return after, nil
}

// DeleteContact removes a contact, numbers and all.
func (s *Sites) DeleteContact(ctx context.Context, by access.Principal, id ids.ContactID, seen int64) error {
	err := s.changeContact(ctx, id, seen, func(tx pgx.Tx, before Contact) error {
		if _, err := tx.Exec(ctx, "DELETE FROM contacts WHERE id = $1", int64(id)); err != nil {
			return err
		}
		entry := audit.By(by, "contact.delete", "contact", int64(id))
		entry.Details = map[string]any{"site_id": before.SiteID}
		entry.Personal = map[string]string{"name": before.Name}
		return s.d.Audit.Append(ctx, tx, entry)
	})
	if err != nil {
		return fmt.Errorf("delete contact %d: %w", id, err)
	}
	return nil
}

// changeContact runs a change of the version that the editor saw. The site is locked first,
// as everywhere.
func (s *Sites) changeContact(ctx context.Context, id ids.ContactID, seen int64, change func(tx pgx.Tx, before Contact) error) error {
	return s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		var site ids.SiteID
		err := tx.QueryRow(ctx, "SELECT site_id FROM contacts WHERE id = $1", int64(id)).Scan((*int64)(&site))
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrContactNotFound
		}
		if err != nil {
			return err
		}
		if err := lockForContacts(ctx, tx, site); err != nil {
			return err
		}
		before, err := s.contact(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case before.Version != seen:
			return errs.VersionMismatch("contact", before)
		}
		return change(tx, before)
	})
}

// OrderContacts says in which order the contacts of a site are called: all of them, each once.
func (s *Sites) OrderContacts(ctx context.Context, by access.Principal, site ids.SiteID, order []ids.ContactID) ([]Contact, error) {
	wanted := make([]int64, len(order))
	for i, id := range order {
		wanted[i] = int64(id)
	}
	var contacts []Contact
	err := s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		if err := lockForContacts(ctx, tx, site); err != nil {
			return err
		}
		var all bool
		err := tx.QueryRow(ctx, `
			SELECT (SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM contacts WHERE site_id = $1)
				= (SELECT coalesce(array_agg(w ORDER BY w), '{}') FROM unnest($2::bigint[]) AS w)`, int64(site), wanted).Scan(&all)
		switch {
		case err != nil:
			return err
		case !all:
			return errs.New(errs.Conflict, "contacts_changed", "The order must name every contact of the site once. Perhaps somebody added or removed one.")
		}
		_, err = tx.Exec(ctx, `
			UPDATE contacts c SET position = n.position, version = version + 1
			FROM unnest($1::bigint[]) WITH ORDINALITY AS n (id, position) WHERE c.id = n.id AND c.position <> n.position`, wanted)
		if err != nil {
			return err
		}
		if contacts, err = s.contacts(ctx, tx, "c.site_id = $1 ORDER BY c.position, c.id LIMIT $2", int64(site), maxContacts); err != nil {
			return err
		}
		entry := audit.By(by, "contact.order", "site", int64(site))
		entry.Details = map[string]any{"contacts": order}
		return s.d.Audit.Append(ctx, tx, entry)
	})
	if err != nil {
		return nil, fmt.Errorf("order the contacts of site %d: %w", site, err)
	}
	return contacts, nil
}

// Reason says why numbers are revealed.
type Reason struct {
	Why     string      // call, check, edit
	AlarmID ids.AlarmID // the alarm that the call is about, 0 for none
}

// Reveal returns the whole numbers of a contact, and leaves an audit entry of it.
func (s *Sites) Reveal(ctx context.Context, by access.Principal, id ids.ContactID, r Reason) ([]Phone, error) {
	switch r.Why {
	case "call", "check", "edit":
	default:
		return nil, errs.New(errs.Invalid, "invalid_reason", "The reason must be call, check or edit.")
	}
	var phones []Phone
	err := s.d.Pool.InTx(ctx, func(tx pgx.Tx) error {
		contact, err := s.contact(ctx, tx, id)
		if err != nil {
			return err
		}
		entry := audit.By(by, "contact.reveal", "contact", int64(id))
		entry.Details = map[string]any{"site_id": contact.SiteID, "reason": r.Why}
		if r.AlarmID != 0 {
			var there bool
			err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM alarms WHERE id = $1 AND site_id = $2)", int64(r.AlarmID), int64(contact.SiteID)).Scan(&there)
			switch {
			case err != nil:
				return err
			case !there:
				return errs.New(errs.Invalid, "invalid_reason", "The alarm is not one of the contact's site.")
			}
			entry.Details["alarm_id"] = r.AlarmID
		}
		rows, err := tx.Query(ctx, "SELECT label, number_secret FROM contact_phones WHERE contact_id = $1 ORDER BY position, id", int64(id))
		if err != nil {
			return err
		}
		phones, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Phone, error) {
			var p Phone
			var sealed []byte
			if err := row.Scan(&p.Label, &sealed); err != nil {
				return p, err
			}
			number, err := s.d.Keyring.Open(sealed)
			p.Number = secret.Redacted(number)
			return p, err
		})
		if err != nil {
			return err
		}
		return s.d.Audit.Append(ctx, tx, entry)
	})
	if err != nil {
		return nil, fmt.Errorf("reveal the numbers of contact %d: %w", id, err)
	}
	return phones, nil
}
