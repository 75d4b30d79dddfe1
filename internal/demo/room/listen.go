package room

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"dozor/internal/wire"
)

// Account is whom the room signs in as at the station.
type Account struct{ Login, Password string }

const (
	// silence is how long a stream may say nothing: its heartbeat comes each second.
	silence = 4 * time.Second
	// again is the pause before the next try.
	again = 500 * time.Millisecond
	// answerTime bounds a request that ends.
	answerTime = 3 * time.Second
	// maxFrame bounds a line of the stream in bytes.
	maxFrame = 4 << 20
	// maxAnswer bounds an answer in bytes.
	maxAnswer = 16 << 20
)

// listener is the room's own subscription to the stream through one API.
type listener struct {
	api     *watched
	account Account
	http    *http.Client
	heard   func(frame)
}

// frame is what is read of a frame.
type frame struct {
	Type     string `json:"type"`
	Epoch    int64  `json:"epoch"`
	Position int64  `json:"position"`
	Ring     int    `json:"ring"`
	Data     struct {
		Alarm  *wire.Alarm  `json:"alarm"`
		Events []wire.Event `json:"events"`
	} `json:"data"`
}

// run listens until ctx ends, from where it was, through every end of the connection.
func (l *listener) run(ctx context.Context) {
	var at wire.StreamPosition
	for ctx.Err() == nil {
		_ = l.listen(ctx, &at) // the page says that it does not hear
		l.hears(false)
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
}

func (l *listener) hears(yes bool) {
	l.api.mu.Lock()
	defer l.api.mu.Unlock()
	l.api.hears = yes
}

// listen follows the stream until it breaks. A token lasts longer than most connections
// here, and a new one costs little: each connection begins with one.
func (l *listener) listen(ctx context.Context, at *wire.StreamPosition) error {
	var signed struct {
		Token string `json:"access_token"`
	}
	credentials := map[string]string{"login": l.account.Login, "password": l.account.Password}
	if err := l.ask(ctx, http.MethodPost, "/api/tokens", "", credentials, &signed); err != nil {
		return err
	}
	if at.Epoch == 0 {
		var list struct {
			Stream wire.StreamPosition `json:"stream"`
		}
		if err := l.ask(ctx, http.MethodGet, "/api/alarms?limit=1", signed.Token, nil, &list); err != nil {
			return err
		}
		*at = list.Stream
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	quiet := time.AfterFunc(silence, cancel)
	defer quiet.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/api/stream?resume=%d.%d", l.api.URL, at.Epoch, at.Position), nil)
	if err != nil {
		return fmt.Errorf("ask for the stream: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+signed.Token)
	response, err := l.http.Do(request)
	if err != nil {
		return fmt.Errorf("ask for the stream: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("ask for the stream: %s", response.Status)
	}
	l.hears(true)
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, maxFrame)
	for lines.Scan() {
		quiet.Reset(silence)
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		var f frame
		if err := json.Unmarshal(data, &f); err != nil {
			return fmt.Errorf("read a frame: %w", err)
		}
		if f.Position != 0 {
			*at = wire.StreamPosition{Epoch: f.Epoch, Position: f.Position}
		}
		l.heard(f)
	}
	return errors.Join(lines.Err(), io.EOF)
}

func (l *listener) ask(ctx context.Context, method, path, token string, body, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, l.api.URL+path, content)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := l.http.Do(request)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(answer); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}
