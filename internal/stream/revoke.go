package stream

import (
	"encoding/json"
	"slices"
	"time"

	"dozor/internal/ids"
)

// AccessChanged is the data of frames of type access.changed: what somebody may see has
// changed. Their connections on every instance end, so that the next ones are made with
// the rights they have then. Address the frame to the person (UserAudience).
type AccessChanged struct {
	UserID ids.UserID `json:"user_id"`
	// SessionID limits it to one session; empty means all of the user's.
	SessionID string `json:"session_id,omitempty"`
	// ButSessionID leaves out one session of the user's; empty means none.
	ButSessionID string `json:"but_session_id,omitempty"`
}

// rememberRevoked is how long a revocation also meets viewers who were known before it
// and attach after it: longer than a client may take to say where it resumes.
const rememberRevoked = time.Minute

type revocation struct {
	at      time.Time
	session string // empty: all of the user's
	but     string // but for this one, if it is not empty
	user    ids.UserID
}

func (r revocation) concerns(v Viewer) bool {
	if r.session != "" {
		return v.SessionID == r.session
	}
	return v.UserID == r.user && (r.but == "" || v.SessionID != r.but)
}

// RevokeSession ends the subscriptions of a session at once with ErrAccessEnded.
func (h *Hub) RevokeSession(id string) {
	if id != "" {
		h.revoke(revocation{session: id})
	}
}

// RevokeUser ends all subscriptions of a user at once with ErrAccessEnded.
func (h *Hub) RevokeUser(id ids.UserID) { h.revoke(revocation{user: id}) }

func (h *Hub) revoke(r revocation) {
	r.at = time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.revoked = slices.DeleteFunc(h.revoked, func(old revocation) bool { return r.at.Sub(old.at) > rememberRevoked })
	h.revoked = append(h.revoked, r)
	for s := range h.subs {
		if r.concerns(s.scope.viewer) {
			s.end(ErrAccessEnded)
		}
	}
}

// revokedLocked reports whether access has ended since the viewer was known.
func (h *Hub) revokedLocked(v Viewer) bool {
	if v.KnownSince.IsZero() {
		return false
	}
	return slices.ContainsFunc(h.revoked, func(r revocation) bool { return !r.at.Before(v.KnownSince) && r.concerns(v) })
}

// accessChanged revokes on this instance what was changed on any.
func (h *Hub) accessChanged(e *entry) {
	var frame struct {
		Data AccessChanged `json:"data"`
	}
	if err := json.Unmarshal(e.data, &frame); err != nil {
		h.cfg.Log.Error("a change of access can't be read: connections of that person stay", "position", e.position, "err", err)
		return
	}
	if frame.Data.SessionID != "" {
		h.RevokeSession(frame.Data.SessionID)
		return
	}
	h.revoke(revocation{user: frame.Data.UserID, but: frame.Data.ButSessionID})
}
