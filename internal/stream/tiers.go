package stream

import (
	"context"
	"fmt"
	"time"

	"dozor/internal/live"
)

// fetchTimeout bounds one read of a tier.
const fetchTimeout = 5 * time.Second

// page is how many frames are read at once from a tier below the ring.
const page = 200

// trimmedError says that the outbox no longer keeps what was asked for.
type trimmedError struct{ first int64 }

func (e trimmedError) Error() string {
	return fmt.Sprintf("frames before %d are no longer kept", e.first)
}

// fetch reads frames of (after, upTo] below the ring, beginning with after+1 and without
// a hole: from the fan-out's buffer, else from the outbox. None and no error means that
// they can't be seen yet.
func (h *Hub) fetch(ctx context.Context, epoch, after, upTo int64) ([]*entry, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	frames, complete, err := h.cfg.Fanout.Range(ctx, epoch, after, upTo, page)
	if err != nil {
		h.cfg.Log.Debug("the fan-out's buffer can't be read", "err", err)
	}
	if err == nil && complete && len(frames) > 0 && len(contiguous(frames, epoch, after)) == len(frames) {
		if entries, err := encodeAll(frames); err == nil {
			h.cfg.Metrics.reads.WithLabelValues("buffer").Inc()
			return entries, nil
		}
	}
	frames, err = h.cfg.Reader.Frames(ctx, epoch, after, upTo, page)
	if err != nil {
		return nil, err
	}
	h.cfg.Metrics.reads.WithLabelValues("table").Inc()
	if len(frames) == 0 {
		return nil, nil
	}
	held := contiguous(frames, epoch, after)
	if len(held) == 0 {
		return nil, trimmedError{first: frames[0].Position}
	}
	return encodeAll(held)
}

// contiguous is the part of frames that follows after without a hole.
func contiguous(frames []live.Frame, epoch, after int64) []live.Frame {
	for i, f := range frames {
		if f.Epoch != epoch || f.Position != after+int64(i)+1 {
			return frames[:i]
		}
	}
	return frames
}

func encodeAll(frames []live.Frame) ([]*entry, error) {
	entries := make([]*entry, len(frames))
	for i, f := range frames {
		e, err := encode(f)
		if err != nil {
			return nil, err
		}
		entries[i] = e
	}
	return entries, nil
}
