package httpapi

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"dozor/internal/access"
	"dozor/internal/deadletter"
)

// LetterPath is the number in the path.
type LetterPath struct {
	ID int64 `path:"id" minimum:"1"`
}

type lettersInput struct {
	Paging
	State  string `query:"state" enum:"open,replayed,dismissed,all" default:"open" doc:"open: waits for somebody; replayed: is an event now, or was one"`
	Reason string `query:"reason" maxLength:"200" doc:"A part of the reason"`
}

type lettersOutput struct {
	Body struct {
		Letters    []deadletter.Letter `json:"dead_letters"`
		NextCursor string              `json:"next_cursor,omitempty"`
	}
}

type letterOutput struct {
	Body struct {
		Letter deadletter.Letter `json:"dead_letter"`
	}
}

type payloadOutput struct {
	Body struct {
		Payload deadletter.Payload `json:"payload"`
	}
}

type dismissInput struct {
	LetterPath
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"2000" doc:"1 to 500 characters"`
	}
}

type replayInput struct {
	Body struct {
		Reason string    `json:"reason,omitempty" maxLength:"200" doc:"Only those with that part in their reason"`
		Replay uuid.UUID `json:"replay,omitempty" format:"uuid" doc:"Goes on with that replay, which takes each letter once"`
	}
}

type replayOutput struct {
	Body struct {
		Replay deadletter.Replay `json:"replay"`
		Left   int               `json:"left" doc:"Open ones of the same choice that it has not taken yet: ask again with its id"`
	}
}

type runInput struct {
	ID uuid.UUID `path:"id" format:"uuid"`
}

type runOutput struct {
	Body struct {
		Replay deadletter.Replay `json:"replay"`
	}
}

// chosenStates are those that a word of the filter means.
var chosenStates = map[string][]deadletter.State{
	"open":      {deadletter.Open, deadletter.Replaying},
	"replayed":  {deadletter.Stored, deadletter.Known},
	"dismissed": {deadletter.Dismissed},
}

func (a *api) letterRoutes() {
	accepted := http.StatusAccepted
	add(a, op(http.MethodGet, "/api/dead-letters", "list-dead-letters", "Messages that were set aside, from the newest"), a.listLetters)
	add(a, op(http.MethodGet, "/api/dead-letters/{id}", "get-dead-letter", "A message that was set aside, without what it holds"),
		func(ctx context.Context, _ access.Principal, in *LetterPath) (*letterOutput, error) {
			return letterAnswer(a.Letters.Get(ctx, in.ID))
		})
	// Not keyed: an answer that is kept would hold what the message holds.
	add(a, op(http.MethodPost, "/api/dead-letters/{id}/reveal", "reveal-dead-letter", "What it holds; who reads it is written down"),
		func(ctx context.Context, by access.Principal, in *LetterPath) (*payloadOutput, error) {
			payload, err := a.Letters.Reveal(ctx, by, in.ID)
			if err != nil {
				return nil, err
			}
			out := &payloadOutput{}
			out.Body.Payload = payload
			return out, nil
		})
	replay := keyed(op(http.MethodPost, "/api/dead-letters/{id}/replay", "replay-dead-letter", "Have it tried again; its state says what became of it"))
	replay.DefaultStatus = accepted
	add(a, replay, func(ctx context.Context, by access.Principal, in *LetterPath) (*letterOutput, error) {
		return letterAnswer(a.Letters.Replay(ctx, by, in.ID))
	})
	add(a, keyed(op(http.MethodPost, "/api/dead-letters/{id}/dismiss", "dismiss-dead-letter", "Settle what nobody will ever read")),
		func(ctx context.Context, by access.Principal, in *dismissInput) (*letterOutput, error) {
			return letterAnswer(a.Letters.Dismiss(ctx, by, in.ID, in.Body.Reason))
		})
	all := keyed(op(http.MethodPost, "/api/dead-letters/replay", "replay-dead-letters", "Have up to 500 open ones tried again, the oldest first"))
	all.DefaultStatus = accepted
	add(a, all, func(ctx context.Context, by access.Principal, in *replayInput) (*replayOutput, error) {
		run, left, err := a.Letters.ReplayAll(ctx, by, in.Body.Reason, in.Body.Replay)
		if err != nil {
			return nil, err
		}
		out := &replayOutput{}
		out.Body.Replay, out.Body.Left = run, left
		return out, nil
	})
	add(a, op(http.MethodGet, "/api/dead-letters/replays/{id}", "get-replay", "What became of the letters of a replay"),
		func(ctx context.Context, _ access.Principal, in *runInput) (*runOutput, error) {
			run, err := a.Letters.Progress(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			out := &runOutput{}
			out.Body.Replay = run
			return out, nil
		})
}

func (a *api) listLetters(ctx context.Context, _ access.Principal, in *lettersInput) (*lettersOutput, error) {
	before, err := decodeCursor[int64](in.Cursor)
	if err != nil {
		return nil, err
	}
	list, next, err := a.Letters.List(ctx, deadletter.Filter{States: chosenStates[in.State], Reason: in.Reason, Before: before}, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &lettersOutput{}
	out.Body.Letters = list
	if next != 0 {
		out.Body.NextCursor = encodeCursor(&next)
	}
	return out, nil
}

func letterAnswer(letter deadletter.Letter, err error) (*letterOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &letterOutput{}
	out.Body.Letter = letter
	return out, nil
}
