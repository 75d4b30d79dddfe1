package httpapi

import (
	"context"
	"net/http"

	"dozor/internal/access"
	"dozor/internal/ids"
	"dozor/internal/site"
)

type sitesInput struct {
	Paging
	Query    string `query:"q" maxLength:"200" doc:"Words of the name, address, city, district, provider or contract"`
	City     string `query:"city" maxLength:"100"`
	District string `query:"district" maxLength:"100"`
	Risk     string `query:"risk" enum:"low,normal,high"`
	Retired  bool   `query:"retired" doc:"Those that are no longer guarded, instead"`
	Own      bool   `query:"own" doc:"With the station itself"`
}

type sitesOutput struct {
	Body struct {
		Sites      []site.ListedSite `json:"sites"`
		NextCursor string            `json:"next_cursor,omitempty"`
	}
}

// SitePath is the number in the path.
type SitePath struct {
	ID ids.SiteID `path:"id" minimum:"1"`
}

type siteDetailOutput struct {
	Versioned
	Body struct {
		Site     site.Site      `json:"site"`
		Panels   []site.Panel   `json:"panels" doc:"Without retired ones"`
		Contacts []site.Contact `json:"contacts" doc:"In the order in which they are called"`
	}
}

type siteOutput struct {
	Versioned
	Body struct {
		Site site.Site `json:"site"`
	}
}

// SiteBody is what people say of a site.
type SiteBody struct {
	Name      string   `json:"name" maxLength:"400" doc:"1 to 200 characters"`
	Address   string   `json:"address" maxLength:"600"`
	City      string   `json:"city" maxLength:"200"`
	District  string   `json:"district" maxLength:"200" doc:"Power and weather fail by district"`
	Provider  string   `json:"provider" maxLength:"200" doc:"Links fail by provider"`
	Risk      string   `json:"risk" enum:"low,normal,high"`
	Contract  string   `json:"contract,omitempty" maxLength:"200"`
	Notes     string   `json:"notes" maxLength:"20000"`
	Latitude  *float64 `json:"latitude,omitempty"`
	Longitude *float64 `json:"longitude,omitempty"`
}

func (b SiteBody) site() site.NewSite {
	return site.NewSite{
		Name: b.Name, Address: b.Address, City: b.City, District: b.District, Provider: b.Provider, Risk: b.Risk,
		Contract: b.Contract, Notes: b.Notes, Latitude: b.Latitude, Longitude: b.Longitude,
	}
}

type newSiteInput struct{ Body SiteBody }

type siteEditInput struct {
	SitePath
	IfMatch
	Body SiteBody
}

// ReasonBody says why something is ended.
type ReasonBody struct {
	Reason string `json:"reason" minLength:"1" maxLength:"1000"`
}

type retireSiteInput struct {
	SitePath
	Body ReasonBody
}

func (a *api) siteRoutes() {
	add(a, op(http.MethodGet, "/api/sites", "list-sites", "Sites by name"), a.listSites)
	add(a, op(http.MethodGet, "/api/sites/{id}", "get-site", "A site with its panels and contacts"), a.getSite)
	create := keyed(op(http.MethodPost, "/api/sites", "create-site", "Add a site"))
	create.DefaultStatus = http.StatusCreated
	add(a, create, func(ctx context.Context, by access.Principal, in *newSiteInput) (*siteOutput, error) {
		id, err := a.Sites.CreateSite(ctx, by, in.Body.site())
		if err != nil {
			return nil, err
		}
		return siteAnswer(a.Sites.Get(ctx, id))
	})
	add(a, op(http.MethodPut, "/api/sites/{id}", "edit-site", "Write a site anew"), func(ctx context.Context, by access.Principal, in *siteEditInput) (*siteOutput, error) {
		seen, err := in.Seen()
		if err != nil {
			return nil, err
		}
		return siteAnswer(a.Sites.EditSite(ctx, by, in.ID, seen, in.Body.site()))
	})
	add(a, keyed(op(http.MethodPost, "/api/sites/{id}/retire", "retire-site", "End the guarding of a site that has no panels any more")), func(ctx context.Context, by access.Principal, in *retireSiteInput) (*siteOutput, error) {
		return siteAnswer(a.Sites.RetireSite(ctx, by, in.ID, in.Body.Reason))
	})
	a.contactRoutes()
	a.panelRoutes()
}

func siteAnswer(view site.Site, err error) (*siteOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &siteOutput{Versioned: versioned(view.Version)}
	out.Body.Site = view
	return out, nil
}

func (a *api) listSites(ctx context.Context, _ access.Principal, in *sitesInput) (*sitesOutput, error) {
	place, err := decodeCursor[site.Place](in.Cursor)
	if err != nil {
		return nil, err
	}
	f := site.Filter{Query: in.Query, City: in.City, District: in.District, Risk: in.Risk, Retired: in.Retired, Own: in.Own}
	sites, next, err := a.Sites.List(ctx, f, place, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &sitesOutput{}
	out.Body.Sites, out.Body.NextCursor = sites, encodeCursor(next)
	return out, nil
}

func (a *api) getSite(ctx context.Context, _ access.Principal, in *SitePath) (*siteDetailOutput, error) {
	out := &siteDetailOutput{}
	var err error
	if out.Body.Site, err = a.Sites.Get(ctx, in.ID); err != nil {
		return nil, err
	}
	out.Versioned = versioned(out.Body.Site.Version)
	if out.Body.Panels, err = a.Sites.PanelsOf(ctx, in.ID); err != nil {
		return nil, err
	}
	out.Body.Contacts, err = a.Sites.Contacts(ctx, in.ID)
	return out, err
}
