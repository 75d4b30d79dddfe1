package stream

import (
	"slices"
	"strconv"
	"time"

	"dozor/internal/ids"
)

// Viewer is who looks at the stream, and what they may see of it. It does not change
// during a subscription: who gets other rights is revoked and connects again.
type Viewer struct {
	UserID ids.UserID
	// SessionID is the session behind the connection; empty where there is none.
	SessionID string
	// Audiences are those of outbox rows that they belong to.
	Audiences []string
	// Sites are those that they may see; nil means all, empty none. What is not bound
	// to a site is for everyone of its audience.
	Sites []ids.SiteID
	// KnownSince is when the proving of who they are began, by this process's clock:
	// access that ended after it is not missed, though the subscription came later. Zero
	// where nothing of that kind can happen.
	KnownSince time.Time
}

// UserAudience is the audience of one person, to which every viewer belongs by being it.
func UserAudience(id ids.UserID) string { return "user:" + strconv.FormatInt(int64(id), 10) }

// scope is a Viewer made for looking up.
type scope struct {
	viewer    Viewer
	audiences []string
	sites     map[ids.SiteID]struct{} // nil: all
}

func newScope(v Viewer) scope {
	s := scope{viewer: v, audiences: append(slices.Clone(v.Audiences), UserAudience(v.UserID))}
	if v.Sites != nil {
		s.sites = make(map[ids.SiteID]struct{}, len(v.Sites))
		for _, id := range v.Sites {
			s.sites[id] = struct{}{}
		}
	}
	return s
}

func (s scope) sees(e *entry) bool {
	return slices.Contains(s.audiences, e.audience) && (e.site == 0 || s.seesSite(e.site))
}

func (s scope) seesSite(id ids.SiteID) bool {
	if s.sites == nil {
		return true
	}
	_, ok := s.sites[id]
	return ok
}
