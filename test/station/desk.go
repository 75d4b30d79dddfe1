package station

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/internal/ids"
	"dozor/internal/wire"
)

// Desk is somebody who is signed in, at any of some instances.
type Desk struct {
	s    *Station
	urls []string
	at   atomic.Int64 // index of the instance that is used

	mu    sync.Mutex
	token string
}

// Desk signs somebody in at the first of the instances; when one does not answer the next is tried.
func (s *Station) Desk(instances ...*Instance) *Desk {
	s.T.Helper()
	d := &Desk{s: s}
	for _, i := range instances {
		d.urls = append(d.urls, i.URL())
	}
	require.Eventually(s.T, func() bool { return d.signIn(s.T.Context()) == nil }, 30*time.Second, 100*time.Millisecond, "sign in")
	return d
}

func (d *Desk) signIn(ctx context.Context) error {
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	_, err := d.try(ctx, "", http.MethodPost, "/api/tokens", map[string]string{"login": login, "password": password}, &answer)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.token = answer.AccessToken
	d.mu.Unlock()
	return nil
}

// url is the instance that is used, elsewhere the next one.
func (d *Desk) url() string { return d.urls[int(d.at.Load())%len(d.urls)] }

func (d *Desk) elsewhere() { d.at.Add(1) }

// Problem is the answer to a request that was refused.
type Problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (p Problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

// requestTime bounds one request of a desk.
const requestTime = 10 * time.Second

// Do sends one request and reads the answer into out, unless that is nil. What the server refuses is a Problem. A token that
// has run out, as they do in a quarter of an hour, is replaced.
func (d *Desk) Do(ctx context.Context, method, path string, body, out any) (status int, err error) {
	d.mu.Lock()
	token := d.token
	d.mu.Unlock()
	status, err = d.try(ctx, token, method, path, body, out)
	if status != http.StatusUnauthorized || token == "" {
		return status, err
	}
	d.mu.Lock()
	if d.token == token {
		d.token = ""
	}
	token = d.token
	d.mu.Unlock()
	if token == "" {
		if err := d.signIn(ctx); err != nil {
			return status, err
		}
		d.mu.Lock()
		token = d.token
		d.mu.Unlock()
	}
	return d.try(ctx, token, method, path, body, out)
}

func (d *Desk) try(ctx context.Context, token, method, path string, body, out any) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	var sent bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&sent).Encode(body); err != nil {
			return 0, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, d.url()+path, &sent)
	if err != nil {
		return 0, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := control.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err
	}
	if res.StatusCode >= http.StatusBadRequest {
		problem := Problem{Status: res.StatusCode, Detail: string(text)}
		_ = json.Unmarshal(text, &problem) // what is no problem document is shown as it is
		return res.StatusCode, problem
	}
	if out == nil {
		return res.StatusCode, nil
	}
	return res.StatusCode, json.Unmarshal(text, out)
}

// Order is what a panel is to do.
type Order struct {
	Kind       string `json:"kind"`
	Partitions []int  `json:"partitions,omitempty"`
	Zones      []int  `json:"zones,omitempty"`
	Outputs    []int  `json:"outputs,omitempty"`
	ArmMode    int    `json:"arm_mode,omitempty"`
	DeadlineS  int    `json:"deadline_s,omitempty"`
}

// Command orders something of a panel.
func (d *Desk) Command(ctx context.Context, panel ids.PanelID, o Order) (wire.Command, error) {
	var answer struct {
		Command wire.Command `json:"command"`
	}
	_, err := d.Do(ctx, http.MethodPost, fmt.Sprintf("/api/panels/%d/commands", panel), o, &answer)
	return answer.Command, err
}

// Alarms returns the open alarms, and where the stream stood before they were read.
func (d *Desk) Alarms(ctx context.Context) ([]wire.Alarm, wire.StreamPosition, error) {
	var answer struct {
		Alarms []wire.Alarm        `json:"alarms"`
		Stream wire.StreamPosition `json:"stream"`
	}
	_, err := d.Do(ctx, http.MethodGet, "/api/alarms?state=all&limit=200", nil, &answer)
	return answer.Alarms, answer.Stream, err
}
