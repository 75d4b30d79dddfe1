package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"dozor/internal/bus"
	"dozor/internal/config"
	"dozor/internal/obs"
)

// unreadable puts an event of a panel on the bus that this version can't read, as a worker of
// a later one might while the station is renewed.
func (t *town) unreadable(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 1 || n > len(t.sites) {
		http.Error(w, fmt.Sprintf("there are panels 1 to %d", len(t.sites)), http.StatusNotFound)
		return
	}
	key, err := t.publishUnreadable(r.Context(), t.sites[n-1].Name)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"key":"%x"}`+"\n", key)
}

func (t *town) publishUnreadable(ctx context.Context, site string) (bus.Key, error) {
	core, err := open(ctx, t.cfg.Database, config.Servers{}, t.cfg.KeyFile, process{name: "demo"}, t.Program)
	if err != nil {
		return bus.Key{}, err
	}
	defer core.close()
	var panel int64
	err = core.pool.QueryRow(ctx, `
		SELECT p.id FROM panels p JOIN sites s ON s.id = p.site_id WHERE s.name = $1 AND p.retired_at IS NULL ORDER BY p.id LIMIT 1`, site).Scan(&panel)
	if err != nil {
		return bus.Key{}, fmt.Errorf("find the panel of %s: %w", site, err)
	}
	m := bus.Message{
		Lane: bus.Live, Topic: fmt.Sprintf("satel.event.%d", panel), Trace: obs.NewTrace(),
		Body: fmt.Appendf(nil, `{"v":99,"panel_id":%d,"record":{"form":"of a later version"}}`, panel),
	}
	_, _ = rand.Read(m.Key[:]) // never fails
	if core.bus.Publish(ctx, []bus.Message{m})[0] != bus.Confirmed {
		return bus.Key{}, errors.New("the bus did not take it")
	}
	return m.Key, nil
}
