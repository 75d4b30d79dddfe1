package httpapi

import (
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"dozor/internal/access"
	"dozor/internal/auth"
	"dozor/internal/stream"
)

// Events serves the stream to somebody who was let in, for as long as they listen.
type Events interface {
	ServeEvents(w http.ResponseWriter, r *http.Request, viewer stream.Viewer)
}

const streamPath = "/api/stream"

// streamRoutes mounts what is no operation of huma's: it answers for hours.
func (a *api) streamRoutes() {
	if a.Push != nil {
		a.mux.Handle("GET /api/ws", a.Push)
	}
	a.mux.HandleFunc("GET "+streamPath, a.listen)
	a.routes = append(a.routes,
		access.Route{Method: http.MethodGet, Pattern: "/api/ws"}, access.Route{Method: http.MethodGet, Pattern: streamPath})

	text := &huma.Schema{Type: huma.TypeString}
	problem := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	o := op(http.MethodGet, streamPath, "listen", "The stream of notifications as server-sent events")
	o.Description = "The same frames as over WebSocket, one event each: its name is the frame's type, its id `epoch.position`. " +
		"A heartbeat comes each second. Begin where a list stood; after a break go on from the last id."
	o.Parameters = []*huma.Param{
		{Name: "Last-Event-ID", In: "header", Schema: text, Description: "From where: epoch.position"},
		{Name: "resume", In: "query", Schema: text, Description: "The same, for the first connection"},
		{Name: "panels", In: "query", Schema: text, Description: "Whose live states come too: all, or numbers with commas between them"},
	}
	o.Responses = map[string]*huma.Response{
		"200":     {Description: "Events, until the client, the session or the server ends", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: text}}},
		"default": {Description: "Error", Content: map[string]*huma.MediaType{problemType: {Schema: problem}}},
	}
	a.huma.OpenAPI().AddOperation(&o)
}

func (a *api) listen(w http.ResponseWriter, r *http.Request) {
	since := time.Now() // a revocation after this moment counts
	by, err := a.whoAsks(w, r)
	needed, known := access.Needed(http.MethodGet, streamPath)
	switch {
	case err != nil:
		a.refuse(w, r, err)
	case !known || !by.May(needed):
		a.refuse(w, r, errMayNot)
	case a.Events == nil:
		newProblem(http.StatusNotFound, "not_found", "There is nothing of that name.").write(w)
	default:
		a.Events.ServeEvents(w, r, auth.ViewerOf(by, since))
	}
}
