package httpapi

import (
	"context"
	"net/http"
	"time"

	"dozor/internal/access"
	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/outbox"
	"dozor/internal/probe"
	"dozor/internal/secret"
	"dozor/internal/site"
	"dozor/internal/wire"
)

type panelsOutput struct {
	Body struct {
		Panels     []site.Panel        `json:"panels"`
		NextCursor string              `json:"next_cursor,omitempty"`
		Stream     wire.StreamPosition `json:"stream"`
	}
}

// PanelPath is the number in the path.
type PanelPath struct {
	ID ids.PanelID `path:"id" minimum:"1"`
}

type panelDetailOutput struct {
	Versioned
	Body struct {
		Panel    site.Panel          `json:"panel"`
		Objects  []site.Object       `json:"objects"`
		Commands []wire.Command      `json:"commands" doc:"The newest 20"`
		Stream   wire.StreamPosition `json:"stream"`
	}
}

type panelChangesInput struct {
	PanelPath
	Paging
}

type panelChangesOutput struct {
	Body struct {
		Changes    []site.Change `json:"changes" doc:"Newest first"`
		NextCursor string        `json:"next_cursor,omitempty"`
	}
}

type panelStateOutput struct {
	Body live.PanelState
}

type panelOutput struct {
	Versioned
	Body struct {
		Panel site.Panel `json:"panel"`
	}
}

// PanelAddress is where a panel answers, and as whom dozor speaks to it.
type PanelAddress struct {
	Host string          `json:"host" maxLength:"300" doc:"A name or an IP address"`
	Port int             `json:"port" minimum:"1" maximum:"65535"`
	Code secret.Redacted `json:"code" maxLength:"20" doc:"User code of 4 to 8 digits; it is never shown again"`
	Key  secret.Redacted `json:"key,omitempty" maxLength:"100" doc:"Integration key of the module, up to 12 characters, where it encrypts; it is never shown again"`
}

type probeInput struct{ Body PanelAddress }

type probeOutput struct{ Body probe.Findings }

type newPanelInput struct {
	SitePath
	Body struct {
		PanelAddress
		Name       string `json:"name" maxLength:"400" doc:"Up to 200 characters"`
		LinkGraceS int    `json:"link_grace_s,omitempty" minimum:"10" maximum:"86400" default:"30" doc:"Seconds of silence that become an alarm"`
		Probe      bool   `json:"probe,omitempty" doc:"Look at it first, and add it only when that succeeds"`
	}
}

type newPanelOutput struct {
	Versioned
	Body struct {
		Panel site.Panel      `json:"panel"`
		Probe *probe.Findings `json:"probe,omitempty"`
	}
}

type panelEditInput struct {
	PanelPath
	IfMatch
	Body struct {
		Name       *string          `json:"name,omitempty" maxLength:"400"`
		Host       *string          `json:"host,omitempty" maxLength:"300"`
		Port       *int             `json:"port,omitempty" minimum:"1" maximum:"65535"`
		Code       *secret.Redacted `json:"code,omitempty" maxLength:"20"`
		Key        *secret.Redacted `json:"key,omitempty" maxLength:"100" doc:"An empty one removes it: the module does not encrypt any more"`
		LinkGraceS *int             `json:"link_grace_s,omitempty" minimum:"10" maximum:"86400"`
		Enabled    *bool            `json:"enabled,omitempty"`
	}
}

type retirePanelInput struct {
	PanelPath
	Body ReasonBody
}

type replacePanelInput struct {
	PanelPath
	Body struct {
		PanelAddress
		ReasonBody
		Name string `json:"name,omitempty" maxLength:"400" doc:"That of the old one, where it is empty"`
	}
}

const recentCommands = 20

func (a *api) panelRoutes() {
	add(a, op(http.MethodGet, "/api/panels", "list-panels", "Panels with their live state, without retired ones"), a.listPanels)
	add(a, op(http.MethodGet, "/api/panels/{id}", "get-panel", "A panel with its parts and last commands"), a.getPanel)
	add(a, op(http.MethodGet, "/api/panels/{id}/changes", "list-panel-changes", "What changed on a panel while it was watched"), a.listPanelChanges)
	add(a, op(http.MethodGet, "/api/panels/{id}/state", "get-panel-state", "What is true of a panel right now"), a.getPanelState)

	add(a, op(http.MethodPost, "/api/panels/probe", "probe-panel", "Look at a panel before it is added"), func(ctx context.Context, _ access.Principal, in *probeInput) (*probeOutput, error) {
		result, err := a.probe(ctx, in.Body)
		return &probeOutput{Body: result}, err
	})
	create := keyed(op(http.MethodPost, "/api/sites/{id}/panels", "create-panel", "Add a panel to a site"))
	create.DefaultStatus = http.StatusCreated
	add(a, create, a.createPanel)
	add(a, op(http.MethodPatch, "/api/panels/{id}", "edit-panel", "Change a panel; a new address, code or key is followed within seconds"), a.editPanel)
	add(a, keyed(op(http.MethodPost, "/api/panels/{id}/retire", "retire-panel", "End the watching of a panel for good")), func(ctx context.Context, by access.Principal, in *retirePanelInput) (*panelOutput, error) {
		return panelAnswer(a.Sites.RetirePanel(ctx, by, in.ID, in.Body.Reason))
	})
	replace := keyed(op(http.MethodPost, "/api/panels/{id}/replace", "replace-panel", "Retire a panel and put another in its place"))
	replace.DefaultStatus = http.StatusCreated
	add(a, replace, func(ctx context.Context, by access.Principal, in *replacePanelInput) (*panelOutput, error) {
		return panelAnswer(a.Sites.ReplacePanel(ctx, by, in.ID, site.NewPanel{
			Name: in.Body.Name, Host: in.Body.Host, Port: in.Body.Port, Code: in.Body.Code, Key: in.Body.Key,
		}, in.Body.Reason))
	})
}

func panelAnswer(view site.Panel, err error) (*panelOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &panelOutput{Versioned: versioned(view.Version)}
	out.Body.Panel = view
	return out, nil
}

// probe looks at a panel. One that dozor is connected to is left alone: its module takes
// one client.
func (a *api) probe(ctx context.Context, at PanelAddress) (probe.Findings, error) {
	own, ours, err := a.Sites.At(ctx, at.Host, at.Port)
	switch {
	case err != nil:
		return probe.Findings{}, err
	case ours:
		return probe.Findings{}, probe.OwnPanel(own.Name, own.Site.Name)
	}
	return probe.Run(ctx, probe.Target{Host: at.Host, Port: at.Port, Code: at.Code, Key: at.Key})
}

func (a *api) createPanel(ctx context.Context, by access.Principal, in *newPanelInput) (*newPanelOutput, error) {
	n := site.NewPanel{
		SiteID: in.ID, Name: in.Body.Name, Host: in.Body.Host, Port: in.Body.Port, Code: in.Body.Code, Key: in.Body.Key,
		LinkGrace: time.Duration(in.Body.LinkGraceS) * time.Second, Enabled: true,
	}
	out := &newPanelOutput{}
	if in.Body.Probe {
		// A site that takes none is found out before a panel is troubled.
		if err := a.Sites.TakesPanels(ctx, in.ID); err != nil {
			return nil, err
		}
		result, err := a.probe(ctx, in.Body.PanelAddress)
		if err != nil {
			return nil, err
		}
		n.Model, n.Firmware, n.Objects = result.Model, result.Firmware, result.Objects
		out.Body.Probe = &result
	}
	id, err := a.Sites.CreatePanel(ctx, by, n)
	if err != nil {
		return nil, err
	}
	out.Body.Panel, err = a.Sites.Panel(ctx, id)
	out.Versioned = versioned(out.Body.Panel.Version)
	return out, err
}

func (a *api) editPanel(ctx context.Context, by access.Principal, in *panelEditInput) (*panelOutput, error) {
	seen, err := in.Seen()
	if err != nil {
		return nil, err
	}
	change := site.PanelChange{Name: in.Body.Name, Host: in.Body.Host, Port: in.Body.Port, Code: in.Body.Code, Key: in.Body.Key, Enabled: in.Body.Enabled}
	if in.Body.LinkGraceS != nil {
		grace := time.Duration(*in.Body.LinkGraceS) * time.Second
		change.LinkGrace = &grace
	}
	return panelAnswer(a.Sites.EditPanel(ctx, by, in.ID, seen, change))
}

func (a *api) listPanels(ctx context.Context, _ access.Principal, in *Paging) (*panelsOutput, error) {
	after, err := decodeCursor[ids.PanelID](in.Cursor)
	if err != nil {
		return nil, err
	}
	out := &panelsOutput{}
	if out.Body.Stream, err = outbox.Head(ctx, a.Pool); err != nil {
		return nil, err
	}
	var next ids.PanelID
	if out.Body.Panels, next, err = a.Sites.Panels(ctx, after, in.Limit); err != nil {
		return nil, err
	}
	if next != 0 {
		out.Body.NextCursor = encodeCursor(&next)
	}
	return out, nil
}

func (a *api) listPanelChanges(ctx context.Context, _ access.Principal, in *panelChangesInput) (*panelChangesOutput, error) {
	before, err := decodeCursor[int64](in.Cursor)
	if err != nil {
		return nil, err
	}
	out := &panelChangesOutput{}
	var next int64
	if out.Body.Changes, next, err = a.Sites.Changes(ctx, in.ID, before, in.Limit); err != nil {
		return nil, err
	}
	if next != 0 {
		out.Body.NextCursor = encodeCursor(&next)
	}
	return out, nil
}

func (a *api) getPanel(ctx context.Context, _ access.Principal, in *PanelPath) (*panelDetailOutput, error) {
	out := &panelDetailOutput{}
	var err error
	if out.Body.Stream, err = outbox.Head(ctx, a.Pool); err != nil {
		return nil, err
	}
	if out.Body.Panel, err = a.Sites.Panel(ctx, in.ID); err != nil {
		return nil, err
	}
	out.Versioned = versioned(out.Body.Panel.Version)
	if out.Body.Objects, err = a.Sites.Objects(ctx, in.ID); err != nil {
		return nil, err
	}
	out.Body.Commands, err = a.Commands.Recent(ctx, in.ID, recentCommands)
	return out, err
}

// getPanelState says "none" of a panel that no worker has tried yet.
func (a *api) getPanelState(ctx context.Context, _ access.Principal, in *PanelPath) (*panelStateOutput, error) {
	panel, err := a.Sites.Panel(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if panel.State == nil {
		return &panelStateOutput{Body: live.PanelState{PanelID: in.ID, Link: live.LinkNone}}, nil
	}
	return &panelStateOutput{Body: *panel.State}, nil
}
