package auth

import (
	"container/list"
	"sync"
	"time"
)

// limiter counts tries by key within a window. It remembers a bounded number of keys:
// the one whose window began first goes when there is no room.
type limiter struct {
	tries  int
	window time.Duration
	room   int

	mu     sync.Mutex
	byKey  map[string]*list.Element
	oldest *list.List // of *bucket, by the beginning of their windows
}

type bucket struct {
	key   string
	began time.Time
	count int
}

func newLimiter(tries int, window time.Duration, room int) *limiter {
	return &limiter{tries: tries, window: window, room: room, byKey: map[string]*list.Element{}, oldest: list.New()}
}

// take counts a try and reports whether it may be made; if not, after what time one may.
func (l *limiter) take(key string, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.byKey[key]
	if e != nil && now.Sub(e.Value.(*bucket).began) >= l.window {
		l.drop(e)
		e = nil
	}
	if e == nil {
		if l.oldest.Len() >= l.room {
			l.drop(l.oldest.Front())
		}
		e = l.oldest.PushBack(&bucket{key: key, began: now})
		l.byKey[key] = e
	}
	b := e.Value.(*bucket)
	if b.count >= l.tries {
		return l.window - now.Sub(b.began), false
	}
	b.count++
	return 0, true
}

// forget begins anew for a key: the right password was given.
func (l *limiter) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.byKey[key]; e != nil {
		l.drop(e)
	}
}

func (l *limiter) drop(e *list.Element) {
	delete(l.byKey, e.Value.(*bucket).key)
	l.oldest.Remove(e)
}
