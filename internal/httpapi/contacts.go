package httpapi

import (
	"context"
	"net/http"

	"dozor/internal/access"
	"dozor/internal/ids"
	"dozor/internal/secret"
	"dozor/internal/site"
)

// ContactPath is the number in the path.
type ContactPath struct {
	ID ids.ContactID `path:"id" minimum:"1"`
}

// PhoneBody is a number as it is given.
type PhoneBody struct {
	Label  string          `json:"label" maxLength:"200"`
	Number secret.Redacted `json:"number" maxLength:"80" doc:"3 to 15 digits, with a plus in front where it is international"`
}

type newContactInput struct {
	SitePath
	Body struct {
		Name   string      `json:"name" maxLength:"400" doc:"1 to 200 characters"`
		Role   string      `json:"role" maxLength:"200"`
		Phones []PhoneBody `json:"phones" maxItems:"20"`
		Notes  string      `json:"notes" maxLength:"20000"`
	}
}

type contactEditInput struct {
	ContactPath
	IfMatch
	Body struct {
		Name    *string      `json:"name,omitempty" maxLength:"400"`
		Role    *string      `json:"role,omitempty" maxLength:"200"`
		Phones  *[]PhoneBody `json:"phones,omitempty" maxItems:"20" doc:"All of them, where given"`
		Notes   *string      `json:"notes,omitempty" maxLength:"20000"`
		Checked bool         `json:"checked,omitempty" doc:"Somebody has just made sure that it is still true"`
	}
}

type contactDeleteInput struct {
	ContactPath
	IfMatch
}

type contactOutput struct {
	Versioned
	Body struct {
		Contact site.Contact `json:"contact"`
	}
}

type contactOrderInput struct {
	SitePath
	Body struct {
		IDs []ids.ContactID `json:"ids" maxItems:"100" doc:"Every contact of the site, each once"`
	}
}

type contactsOutput struct {
	Body struct {
		Contacts []site.Contact `json:"contacts"`
	}
}

type revealInput struct {
	ContactPath
	Body struct {
		Reason  string      `json:"reason" enum:"call,check,edit"`
		AlarmID ids.AlarmID `json:"alarm_id,omitempty" minimum:"1" doc:"The alarm that the call is about"`
	}
}

// WholePhone is a number as it is called. It is in no other answer.
type WholePhone struct {
	Label  string `json:"label"`
	Number string `json:"number"`
}

type revealOutput struct {
	Body struct {
		Phones []WholePhone `json:"phones"`
	}
}

func (a *api) contactRoutes() {
	create := keyed(op(http.MethodPost, "/api/sites/{id}/contacts", "create-contact", "Add somebody to call, as the last"))
	create.DefaultStatus = http.StatusCreated
	add(a, create, func(ctx context.Context, by access.Principal, in *newContactInput) (*contactOutput, error) {
		return contactAnswer(a.Sites.AddContact(ctx, by, in.ID, site.NewContact{
			Name: in.Body.Name, Role: in.Body.Role, Notes: in.Body.Notes, Phones: phones(in.Body.Phones),
		}))
	})
	add(a, op(http.MethodPatch, "/api/contacts/{id}", "edit-contact", "Change a contact"), func(ctx context.Context, by access.Principal, in *contactEditInput) (*contactOutput, error) {
		seen, err := in.Seen()
		if err != nil {
			return nil, err
		}
		change := site.ContactChange{Name: in.Body.Name, Role: in.Body.Role, Notes: in.Body.Notes, Checked: in.Body.Checked}
		if in.Body.Phones != nil {
			all := phones(*in.Body.Phones)
			change.Phones = &all
		}
		return contactAnswer(a.Sites.EditContact(ctx, by, in.ID, seen, change))
	})
	remove := op(http.MethodDelete, "/api/contacts/{id}", "delete-contact", "Remove a contact, numbers and all")
	remove.DefaultStatus = http.StatusNoContent
	add(a, remove, func(ctx context.Context, by access.Principal, in *contactDeleteInput) (*struct{}, error) {
		seen, err := in.Seen()
		if err != nil {
			return nil, err
		}
		return nil, a.Sites.DeleteContact(ctx, by, in.ID, seen)
	})
	add(a, op(http.MethodPut, "/api/sites/{id}/contacts/order", "order-contacts", "Say in which order contacts are called"), func(ctx context.Context, by access.Principal, in *contactOrderInput) (*contactsOutput, error) {
		out := &contactsOutput{}
		var err error
		out.Body.Contacts, err = a.Sites.OrderContacts(ctx, by, in.ID, in.Body.IDs)
		return out, err
	})
	// No Idempotency-Key: the answer would be kept, and it holds whole numbers.
	add(a, op(http.MethodPost, "/api/contacts/{id}/reveal", "reveal-contact", "See the whole numbers of a contact; it is recorded who did and why"), a.revealContact)
}

func phones(in []PhoneBody) []site.Phone {
	out := make([]site.Phone, len(in))
	for i, p := range in {
		out[i] = site.Phone{Label: p.Label, Number: p.Number}
	}
	return out
}

func contactAnswer(view site.Contact, err error) (*contactOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &contactOutput{Versioned: versioned(view.Version)}
	out.Body.Contact = view
	return out, nil
}

func (a *api) revealContact(ctx context.Context, by access.Principal, in *revealInput) (*revealOutput, error) {
	whole, err := a.Sites.Reveal(ctx, by, in.ID, site.Reason{Why: in.Body.Reason, AlarmID: in.Body.AlarmID})
	if err != nil {
		return nil, err
	}
	out := &revealOutput{}
	out.Body.Phones = make([]WholePhone, len(whole))
	for i, p := range whole {
		out.Body.Phones[i] = WholePhone{Label: p.Label, Number: p.Number.Reveal()}
	}
	return out, nil
}
