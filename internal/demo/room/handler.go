package room

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"slices"
)

//go:embed page
var files embed.FS

var page = template.Must(template.ParseFS(files, "page/room.html"))

// policy keeps the page to this origin.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// handler serves the page and its orders, under the names of the listener alone.
func (r *Room) handler(l net.Listener) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", r.servePage)
	mux.Handle("GET /assets/", r.cfg.Assets)
	mux.Handle("GET /favicon.svg", r.cfg.Assets)
	for path, kind := range map[string]string{"room.css": "text/css; charset=utf-8", "room.js": "text/javascript; charset=utf-8", "theme.js": "text/javascript; charset=utf-8"} {
		mux.HandleFunc("GET /"+path, func(w http.ResponseWriter, _ *http.Request) {
			text, err := files.ReadFile("page/" + path)
			if err != nil {
				http.Error(w, "not there", http.StatusNotFound)
				return
			}
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write(text) // fails only when the browser has gone
		})
	}
	mux.HandleFunc("GET /api/room", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, r.view()) })
	mux.HandleFunc("POST /api/components/{id}/{act}", r.takeOrder)
	mux.HandleFunc("POST /api/hold-up", func(w http.ResponseWriter, q *http.Request) {
		if err := r.press(q.Context()); err != nil {
			refuse(w, http.StatusBadGateway, err)
			return
		}
		answer(w, http.StatusAccepted, struct{}{})
	})
	return guard(l, mux)
}

// guard lets in who calls the room by its own name, and orders from its own page or from
// a program: a page of somebody else can neither order nor, by a name of its own that
// leads to this machine, read.
func guard(l net.Listener, next http.Handler) http.Handler {
	_, port, _ := net.SplitHostPort(l.Addr().String()) // a TCP listener's address
	names := []string{"localhost:" + port, "127.0.0.1:" + port, "[::1]:" + port}
	own := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		if !slices.Contains(names, r.Host) {
			refuse(w, http.StatusMisdirectedRequest, fmt.Errorf("this is %s", names[0]))
			return
		}
		own.ServeHTTP(w, r)
	})
}

func (r *Room) servePage(w http.ResponseWriter, q *http.Request) {
	said := wordsFor(q)
	var out bytes.Buffer
	data := map[string]any{"W": said, "Stylesheet": r.cfg.Stylesheet, "View": r.view(), "Acts": Acts}
	if err := page.Execute(&out, data); err != nil {
		r.cfg.Logger.Error("the page of the control room can't be made", "err", err)
		refuse(w, http.StatusInternalServerError, errors.New("the page can't be made"))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Vary", "Accept-Language")
	_, _ = w.Write(out.Bytes()) // fails only when the browser has gone
}

func (r *Room) takeOrder(w http.ResponseWriter, q *http.Request) {
	act := Act(q.PathValue("act"))
	if !slices.Contains(Acts, act) {
		refuse(w, http.StatusNotFound, fmt.Errorf("there is no act %q", act))
		return
	}
	switch err := r.order(q.PathValue("id"), act); {
	case errors.Is(err, errNoComponent):
		refuse(w, http.StatusNotFound, err)
	case err != nil:
		refuse(w, http.StatusConflict, err)
	default:
		answer(w, http.StatusAccepted, struct{}{})
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only when the browser has gone
}

func refuse(w http.ResponseWriter, status int, err error) {
	answer(w, status, map[string]string{"error": err.Error()})
}
