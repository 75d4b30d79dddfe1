package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"dozor/internal/access"
	"dozor/internal/auth"
	"dozor/internal/errs"
	"dozor/internal/pg"
)

// Problem is an error as clients see it: RFC 9457 with a stable code.
type Problem struct {
	Type   string       `json:"type" doc:"about:blank: the code says it all"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail" doc:"A sentence for people, in English"`
	Code   string       `json:"code" doc:"Stable, for programs"`
	Errors []FieldError `json:"errors,omitempty" doc:"What was wrong where, without the values"`
	// extra are the extension members: the current alarm of a conflict.
	extra any
}

// FieldError says what was wrong with a part of a request.
type FieldError struct {
	Location string `json:"location"`
	Message  string `json:"message"`
}

func newProblem(status int, code, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code}
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus makes it an error that huma writes as it is.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is the media type for problems.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// TransformSchema says that extension members may come.
func (p *Problem) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.AdditionalProperties = true
	return s
}

// MarshalJSON puts the extension members beside the standard ones.
func (p *Problem) MarshalJSON() ([]byte, error) {
	type plain Problem
	raw, err := json.Marshal((*plain)(p))
	if err != nil || p.extra == nil {
		return raw, err
	}
	extra, err := json.Marshal(p.extra)
	if err != nil {
		return nil, err
	}
	if len(extra) <= 2 || extra[0] != '{' {
		return nil, fmt.Errorf("the detail of problem %s is not an object with members", p.Code)
	}
	return append(append(raw[:len(raw)-1], ','), extra[1:]...), nil
}

func (p *Problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("encode problem %s: %v", p.Code, err))
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	// A client that is gone cannot be told.
	_, _ = w.Write(body)
}

var statusOf = map[errs.Kind]int{
	errs.NotFound:     http.StatusNotFound,
	errs.Conflict:     http.StatusConflict,
	errs.Invalid:      http.StatusUnprocessableEntity,
	errs.Forbidden:    http.StatusForbidden,
	errs.Unauthorized: http.StatusUnauthorized,
	errs.Unavailable:  http.StatusServiceUnavailable,
	errs.TooLarge:     http.StatusRequestEntityTooLarge,
	errs.TooMany:      http.StatusTooManyRequests,
	errs.Stale:        http.StatusPreconditionFailed,

	errs.Unconditional: http.StatusPreconditionRequired,
}

// problemOf is the one place where an error becomes a status. What nobody classified is
// logged here and nowhere else.
func problemOf(ctx context.Context, log *slog.Logger, err error) (*Problem, http.Header) {
	header := http.Header{}
	if e, ok := errors.AsType[*errs.Error](err); ok {
		if status, known := statusOf[e.Kind]; known {
			p := newProblem(status, e.Code, e.Message)
			p.extra = e.Detail
			if wait, ok := e.Detail.(auth.RetryAfter); ok {
				header.Set("Retry-After", strconv.Itoa(wait.Seconds))
			}
			return p, header
		}
	}
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		// The client has gone: nobody reads this and nothing is wrong.
		return newProblem(http.StatusServiceUnavailable, "canceled", "The request was given up."), header
	case pg.IsTemporary(err):
		log.WarnContext(ctx, "the database does not answer in time", "err", err, "request_id", access.RequestID(ctx))
		header.Set("Retry-After", "1")
		return newProblem(http.StatusServiceUnavailable, "unavailable", "A part that is needed is down. Try again."), header
	default:
		log.ErrorContext(ctx, "a request failed", "err", err, "request_id", access.RequestID(ctx))
		return newProblem(http.StatusInternalServerError, "internal", "Something went wrong in the server. It was recorded."), header
	}
}

var problemsOnce sync.Once

// useProblems makes huma's own errors problems of ours, and lists in its schemas lists,
// never null. huma has globals for both; every API of the process wants the same.
func useProblems() {
	problemsOnce.Do(func() {
		huma.DefaultArrayNullable = false
		huma.NewError = humaProblem
		huma.NewErrorWithContext = func(_ huma.Context, status int, message string, causes ...error) huma.StatusError {
			return humaProblem(status, message, causes...)
		}
	})
}

// codes of what huma finds wrong before an operation runs.
var codes = map[int]string{
	http.StatusBadRequest:            "malformed",
	http.StatusNotAcceptable:         "not_acceptable",
	http.StatusRequestTimeout:        "body_timeout",
	http.StatusRequestEntityTooLarge: "too_large",
	http.StatusUnsupportedMediaType:  "unsupported_media_type",
	http.StatusUnprocessableEntity:   "invalid_request",
}

var sentences = map[int]string{
	http.StatusBadRequest:            "The body can't be read as JSON.",
	http.StatusNotAcceptable:         "The answer is not to be had in that form.",
	http.StatusRequestTimeout:        "The body took too long to come.",
	http.StatusRequestEntityTooLarge: "The body is too large.",
	http.StatusUnsupportedMediaType:  "The body must be application/json.",
	http.StatusUnprocessableEntity:   "The request is not as it should be.",
}

// humaProblem drops what huma says back of a request: refused values, and messages of
// parsers that quote them.
func humaProblem(status int, _ string, causes ...error) huma.StatusError {
	code, known := codes[status]
	if !known {
		return newProblem(http.StatusInternalServerError, "internal", "Something went wrong in the server. It was recorded.")
	}
	p := newProblem(status, code, sentences[status])
	if status != http.StatusUnprocessableEntity {
		return p
	}
	for _, cause := range causes {
		detailer, ok := cause.(huma.ErrorDetailer)
		if !ok {
			continue
		}
		d := detailer.ErrorDetail()
		message, _, _ := strings.Cut(d.Message, ":")
		if message == "json" {
			message = "not of the wanted type"
		}
		p.Errors = append(p.Errors, FieldError{Location: d.Location, Message: message})
	}
	return p
}
