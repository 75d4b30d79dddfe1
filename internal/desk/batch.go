package desk

import (
	"context"
	"errors"

	"dozor/internal/access"
	"dozor/internal/alarm"
	"dozor/internal/errs"
	"dozor/internal/event"
	"dozor/internal/ids"
	"dozor/internal/wire"
)

// MaxBatch bounds a batch.
const MaxBatch = 200

// ErrBatchPriority says that an alarm is too pressing to be done with others at once.
var ErrBatchPriority = errs.New(errs.Forbidden, "batch_priority", "Only alarms of P4 and P5 can be done in a batch.")

// Seen is an alarm as the operator saw it.
type Seen struct {
	ID      ids.AlarmID `json:"id" minimum:"1"`
	Version int64       `json:"version" minimum:"1" doc:"The version that you saw"`
}

// Result is what became of one alarm of a batch.
type Result struct {
	ID    ids.AlarmID `json:"id"`
	Alarm *wire.Alarm `json:"alarm,omitempty" doc:"After the step; of a conflict: as it is now"`
	Code  string      `json:"code,omitempty" doc:"Why it was not done: alarm_conflict, batch_priority, alarm_not_found, unavailable"`
}

// batchable are the acts that may be done to many alarms at once.
var batchable = map[alarm.Act]bool{alarm.Claim: true, alarm.Ack: true, alarm.Resolve: true, alarm.Close: true}

// Batch does one step to many alarms of P4 and P5, each by its own version and in a
// transaction of its own, in the order given. There is one result for each; a refusal of
// one holds up no other. With an error that is nobody's refusal the rest was not tried:
// their results say unavailable.
func (d *Desk) Batch(ctx context.Context, by access.Principal, s Step, seen []Seen) ([]Result, error) {
	if len(seen) == 0 || len(seen) > MaxBatch || !batchable[s.Act] {
		return nil, errs.New(errs.Invalid, "invalid_batch", "A batch claims, acknowledges, resolves or closes 1 to 200 alarms.")
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	twice := map[ids.AlarmID]bool{}
	for _, a := range seen {
		if twice[a.ID] {
			return nil, errs.New(errs.Invalid, "invalid_batch", "An alarm stands in the batch twice.")
		}
		twice[a.ID] = true
	}
	s.least = event.P4
	results := make([]Result, len(seen))
	var broken error
	for i, a := range seen {
		results[i] = Result{ID: a.ID, Code: "unavailable"}
		if broken != nil {
			continue
		}
		s.Version = a.Version
		view, err := d.Do(ctx, by, a.ID, s)
		refused, isRefusal := errors.AsType[*errs.Error](err)
		switch {
		case err == nil:
			results[i] = Result{ID: a.ID, Alarm: &view}
		case isRefusal:
			results[i].Code = refused.Code
			if c, ok := refused.Detail.(Conflict); ok {
				results[i].Alarm = &c.Alarm
			}
		default:
			broken = err
		}
	}
	return results, broken
}
