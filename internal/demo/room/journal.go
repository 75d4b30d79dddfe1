package room

import (
	"sync"
	"time"
)

// Entry is one thing that was done here, or came of it.
type Entry struct {
	Seq int64     `json:"seq"`
	At  time.Time `json:"at"`
	// What is a word of the page's: an act that was done, gone (it ended by itself), failed,
	// hold_up (the button was pressed), arrived (its frame is here).
	What string `json:"what"`
	// Component is the one that it is about, or by which it came.
	Component string `json:"component,omitempty"`
	// Millis is how long it took.
	Millis int64  `json:"ms,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// kept is how many entries are shown.
const kept = 40

// journal keeps the last entries. Safe for concurrent use.
type journal struct {
	mu      sync.Mutex
	entries []Entry // the newest first
	seq     int64
}

func (j *journal) add(e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seq++
	e.Seq, e.At = j.seq, time.Now().UTC()
	j.entries = append([]Entry{e}, j.entries[:min(len(j.entries), kept-1)]...)
}

func (j *journal) read() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Entry{}, j.entries...)
}
