package worker

import (
	"context"
	"errors"
	"time"

	"dozor/internal/command"
	"dozor/satel"
	"dozor/satel/client"
)

// writeGuard keeps a command from acting late: it is asked right before the write and
// right after it, on a clock that goes on while the machine sleeps.
type writeGuard struct {
	deadline command.Deadline
	hit      func(string)
	begun    bool // a byte may have gone out
	late     bool
}

func (g *writeGuard) BeforeWrite() error {
	if err := g.deadline.Check(); err != nil {
		return err
	}
	g.begun = true
	return nil
}

func (g *writeGuard) AfterWrite() error {
	g.hit("command.written")
	if err := g.deadline.Check(); err != nil {
		g.late = true
		return err
	}
	return nil
}

// execute sends a claimed command and records how it ended. Past its deadline nothing
// is sent; without an answer until then the connection is reset, so that what may still
// lie in it can't act.
func (s *session) execute(ctx context.Context, c command.Claimed) error {
	outcome, err := s.send(ctx, c)
	s.w.finish(ctx, c, outcome)
	// What the command changed shows in the lists and in the memory.
	s.nextPoll = s.w.cfg.Clock()
	return err
}

func (s *session) send(ctx context.Context, c command.Claimed) (command.Outcome, error) {
	code, err := satel.EncodeUserCode(s.reach.Load().Code.Reveal(), "", satel.UserCodeSize)
	if err != nil {
		s.log.Error("the stored user code of the panel can't be used", "err", err)
		return command.Outcome{Result: command.NoCode}, nil
	}
	defer clear(code)
	left := c.Deadline.Left()
	if left <= 0 {
		return command.Outcome{Result: command.TooLate}, nil
	}
	bounded, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	guard := &writeGuard{deadline: c.Deadline, hit: s.w.cfg.Hit}
	partitions := satel.NewBits(4, c.Partitions...)
	var result satel.Result
	switch c.Kind {
	case command.Arm:
		result, err = s.conn.Arm(bounded, satel.CmdArm0+satel.Command(c.ArmMode), code, partitions, guard)
	case command.Disarm:
		result, err = s.conn.Disarm(bounded, code, partitions, guard)
	case command.ClearAlarm:
		result, err = s.conn.ClearAlarm(bounded, code, partitions, guard)
	}
	switch {
	case err == nil:
		s.alive()
		return command.FromPanel(result), nil
	case guard.late:
		return command.Outcome{Result: command.Late, Late: true}, err
	case !guard.begun && c.Deadline.Check() != nil:
		return command.Outcome{Result: command.TooLate}, nil
	case !guard.begun:
		return command.Outcome{Result: command.LinkDown}, err
	default:
		s.conn.Reset()
		return command.Outcome{Result: command.NoAnswer}, errors.Join(err, client.ErrClosed)
	}
}

// finishTimeout bounds the recording of a result; what could not be recorded is ended
// by the sweeper.
const finishTimeout = 5 * time.Second

func (w *Worker) finish(ctx context.Context, c command.Claimed, o command.Outcome) {
	w.metrics.commands.WithLabelValues(string(o.Result)).Inc()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	if err := w.cfg.Commands.Finish(ctx, c.ID, c.Fence, o); err != nil {
		w.cfg.Logger.Warn("a command's result was not recorded", "panel_id", c.PanelID, "command_id", c.ID, "result", o.Result, "err", err)
	}
}
