package panellog

import (
	"fmt"
	"time"

	"dozor/internal/bus"
	"dozor/internal/event"
	"dozor/internal/obs"
	"dozor/internal/wire"
	"dozor/satel"
)

// Waiting times before a message goes out again, doubled each time.
const (
	resendLive     = time.Second
	resendBackfill = 30 * time.Second
	resendMax      = 30 * time.Second
)

// emit sends a record of a segment and holds it until its key is in PostgreSQL.
func (l *Log) emit(s *segment, p place) {
	report := wire.Report{
		PanelID: l.cfg.Panel, ReceivedAt: p.receivedAt, NotBefore: p.notBefore,
		ClockOffsetMS: l.clockOffset.Milliseconds(), Model: l.model,
		Record: &wire.Record{
			Raw: p.record[:], Index: p.index[:], Epoch: s.epoch, Number: s.number, Offset: p.offset,
			FirstContact: s.firstContact,
		},
	}
	topic := fmt.Sprintf("satel.event.%d", l.cfg.Panel)
	if info, ok := satel.LookupEvent(p.record.Code(), p.record.Restore()); !ok || info.Priority <= satel.PriorityTrouble {
		topic = fmt.Sprintf("satel.alarm.%d", l.cfg.Panel)
	}
	key := event.RecordKey(l.cfg.Panel, s.epoch, p.index, p.record)
	it := l.send(key, l.lane(s, p), topic, report)
	it.place = p
	s.sent = append(s.sent, it)
	s.tail = p
	s.remember(p)
}

// foundEmpty handles a memory that holds nothing although records of it were read.
func (l *Log) foundEmpty(at time.Time) {
	if len(l.known) == 0 && len(l.segments) == 0 || l.erased != nil {
		return
	}
	after := l.cursor
	for _, s := range l.segments {
		l.unconfirm(s)
		if s.end == endOpen {
			s.end = endLost
		}
		after = s.number
	}
	l.cfg.Logger.Warn("the panel's memory was erased")
	l.erased = l.notice(wire.MemoryGap, fmt.Sprintf("panel %d emptied after segment %d", l.cfg.Panel, after), at,
		l.emptyArgs(at))
}

// emptyArgs tells since when records may be missing from a memory that holds none.
func (l *Log) emptyArgs(at time.Time) map[string]string {
	args := map[string]string{"reason": endEmpty.String()}
	last, known := satel.Record{}, len(l.known) > 0
	if known {
		last = l.known[0].record
	}
	if newest := l.newest(); newest != nil {
		last, known = newest.top.record, true
	}
	if from := l.resolve(last); known && !from.IsZero() && from.Before(at) {
		args["from"], args["to"] = l.minute(from), l.minute(at)
	}
	return args
}

// withdrawErased takes back the conclusion that the memory is empty, not the event that
// said so: records may have been lost in between.
func (l *Log) withdrawErased() {
	if l.erased != nil {
		l.notices = append(l.notices, l.erased)
		l.erased = nil
	}
}

// Infer sends an alarm that the state bits show and no record explains, and holds it as a
// record is held, until its key is in PostgreSQL. It returns the message's trace context.
func (l *Log) Infer(what wire.Inferred, at time.Time) (trace string) {
	report := wire.Report{PanelID: l.cfg.Panel, ReceivedAt: at, Model: l.model, Inferred: &what}
	it := l.send(event.InferredKey(l.cfg.Panel, what.Fence, what.Seq), bus.Live, fmt.Sprintf("satel.alarm.%d", l.cfg.Panel), report)
	l.notices = append(l.notices, it)
	return it.msg.Trace
}

func (l *Log) notice(code wire.StationCode, subject string, at time.Time, args map[string]string) *item {
	report := wire.Report{
		PanelID: l.cfg.Panel, ReceivedAt: at, Model: l.model,
		Station: &wire.Station{Code: code, Subject: subject, Args: args},
	}
	return l.send(event.StationKey(l.cfg.Panel, 0, code, subject), bus.Live, "station."+string(code), report)
}

func (l *Log) send(key bus.Key, lane bus.Lane, topic string, report wire.Report) *item {
	body, err := report.Encode()
	if err != nil {
		// Only a time out of JSON's range could end here, which no clock of ours gives.
		panic(err)
	}
	it := &item{
		sentAt: l.cfg.Clock(), wait: resendLive,
		msg: bus.Message{Key: key, Lane: lane, Topic: topic, Trace: l.cfg.Trace(), Body: body},
	}
	if lane == bus.Backfill {
		it.wait = resendBackfill
	}
	l.cfg.Logger.Debug("sent to the bus", "topic", topic, "lane", lane, "trace_id", obs.TraceID(it.msg.Trace))
	l.cfg.Held(1)
	l.cfg.Send([]bus.Message{it.msg})
	return it
}

// lane is live for what happened just now, by the panel's own clock corrected; what an
// earlier look did not show has happened since, whatever a clock that was just set says.
func (l *Log) lane(s *segment, p place) bus.Lane {
	if s.firstContact || p.offset < -liveSpan {
		return bus.Backfill
	}
	now := l.cfg.Clock()
	at := p.record.Resolve(now, l.cfg.Location).Add(-l.clockOffset)
	if at.Before(p.notBefore) {
		at = p.notBefore
	}
	if now.Sub(at) > recent {
		return bus.Backfill
	}
	return bus.Live
}
