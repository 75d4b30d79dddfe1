package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"dozor/internal/ids"
	"dozor/internal/live"
	"dozor/internal/secret"
	"dozor/internal/wire"
)

// maxAnswer bounds an HTTP answer in bytes: the journal of a panel is the longest.
const maxAnswer = 256 << 20

// tokenRest is how long before its end a bearer token is replaced.
const tokenRest = time.Minute

// api is dozor's REST interface, as a program uses it.
type api struct {
	base     string
	login    string
	password secret.Redacted
	http     *http.Client

	mu     sync.Mutex
	token  string
	expire time.Time
}

func newAPI(base, login string, password secret.Redacted) *api {
	return &api{
		base: strings.TrimRight(base, "/"), login: login, password: password,
		http: newClient(),
	}
}

func newClient() *http.Client {
	return &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 16},
	}
}

// close ends idle connections.
func (a *api) close() { a.http.CloseIdleConnections() }

// bearer returns a token that is good for a while.
func (a *api) bearer(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token != "" && time.Until(a.expire) > tokenRest {
		return a.token, nil
	}
	var answer struct {
		Token   string `json:"access_token"`
		Expires int    `json:"expires_in"`
	}
	asked := time.Now()
	err := a.exchange(ctx, http.MethodPost, "/api/tokens", "", map[string]string{"login": a.login, "password": a.password.Reveal()}, &answer)
	if err != nil {
		return "", err
	}
	a.token, a.expire = answer.Token, asked.Add(time.Duration(answer.Expires)*time.Second)
	return a.token, nil
}

func (a *api) call(ctx context.Context, method, path string, body, answer any) error {
	token, err := a.bearer(ctx)
	if err != nil {
		return err
	}
	return a.exchange(ctx, method, path, token, body, answer)
}

func (a *api) exchange(ctx context.Context, method, path, token string, body, answer any) error {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, a.base+path, content)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return answerOf(a.http, request, answer)
}

// answerOf sends a request and reads its answer as JSON.
func answerOf(client *http.Client, request *http.Request, answer any) error {
	fail := func(err error) error { return fmt.Errorf("%s %s: %w", request.Method, request.URL.Path, err) }
	response, err := client.Do(request)
	if err != nil {
		return fail(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fail(err)
	}
	if response.StatusCode/100 != 2 {
		return fail(fmt.Errorf("%s: %.300s", response.Status, text))
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fail(err)
	}
	return nil
}

// panelView is what the bench reads of a panel.
type panelView struct {
	ID    ids.PanelID `json:"id"`
	Host  string      `json:"host"`
	Port  int         `json:"port"`
	State *struct {
		Link       live.Link `json:"link"`
		LinkReason string    `json:"link_reason"`
	} `json:"state"`
}

func (p *panelView) isUp() bool { return p.State != nil && p.State.Link == live.LinkUp }

func (a *api) panels(ctx context.Context) ([]panelView, error) {
	var all []panelView
	cursor := ""
	for {
		var page struct {
			Panels []panelView `json:"panels"`
			Next   string      `json:"next_cursor"`
		}
		query := url.Values{"limit": {"200"}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		if err := a.call(ctx, http.MethodGet, "/api/panels?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Panels...)
		if page.Next == "" {
			return all, nil
		}
		cursor = page.Next
	}
}

// waitForLinks waits until dozor says of each panel given that it answers.
func (a *api) waitForLinks(ctx context.Context, c *child, panels []ids.PanelID) error {
	limit := readyLimit + time.Duration(len(panels))*100*time.Millisecond
	return until(ctx, c, limit, "the links to panels", func(ctx context.Context) error {
		views, err := a.panels(ctx)
		if err != nil {
			return err
		}
		up := map[ids.PanelID]bool{}
		for _, p := range views {
			up[p.ID] = p.isUp()
		}
		for _, id := range panels {
			if !up[id] {
				return fmt.Errorf("the link to panel %d is not up", id)
			}
		}
		return nil
	})
}

// position is from where a client that has loaded its lists now goes on.
func (a *api) position(ctx context.Context) (wire.StreamPosition, error) {
	var list struct {
		Stream wire.StreamPosition `json:"stream"`
	}
	err := a.call(ctx, http.MethodGet, "/api/alarms?limit=1", nil, &list)
	return list.Stream, err
}

func (a *api) ticket(ctx context.Context) (string, error) {
	var answer struct {
		Ticket string `json:"ticket"`
	}
	if err := a.call(ctx, http.MethodPost, "/api/ws/ticket", nil, &answer); err != nil {
		return "", err
	}
	if answer.Ticket == "" {
		return "", errors.New("POST /api/ws/ticket: no ticket in the answer")
	}
	return answer.Ticket, nil
}
