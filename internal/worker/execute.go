package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dozor/internal/command"
	"dozor/internal/event"
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

// execute sends a claimed command. Past its deadline nothing is sent; without an answer
// until then the connection is reset, so that what may still lie in it can't act. What the
// panel did with one that it accepted, and why it refused to arm, is found out in later
// turns: see aftermath.
func (s *session) execute(ctx context.Context, c command.Claimed) error {
	before := s.shownBefore(c)
	select {
	case <-s.answers: // to a command of long before
	default:
	}
	outcome, err := s.send(ctx, c)
	if s.after = s.aftermathOf(c, outcome, before); s.after == nil {
		s.w.finish(ctx, c, outcome)
		s.release()
	}
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
	if !s.has(c.Targets) {
		return command.Outcome{Result: command.NoSuchObject}, nil
	}
	left := c.Deadline.Left()
	if left <= 0 {
		return command.Outcome{Result: command.TooLate}, nil
	}
	bounded, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	guard := &writeGuard{deadline: c.Deadline, hit: s.w.cfg.Hit}
	result, err := s.order(bounded, c, code, guard)
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

// order puts a command into the panel's words and sends it.
func (s *session) order(ctx context.Context, c command.Claimed, code []byte, guard client.Guard) (satel.Result, error) {
	cmd, known := controls[c.Kind]
	if !known {
		return 0, fmt.Errorf("%w: %q", errKind, c.Kind)
	}
	request := satel.ControlRequest{Cmd: cmd + satel.Command(c.ArmMode), Code: code}
	// Lists of zones and outputs are as wide as the panel's numbers need them.
	switch c.Kind {
	case command.Arm, command.ForceArm, command.Disarm, command.ClearAlarm:
		request.Partitions = satel.NewBits(satel.ListPartitions.Size(false), c.Partitions...)
	case command.Bypass, command.Unbypass, command.Isolate:
		request.Numbers = satel.NewBits(satel.ListZones.Size(s.model.Wide()), c.Zones...)
	case command.OutputsOn, command.OutputsOff, command.OutputsSwitch, command.OpenDoor:
		request.Numbers = satel.NewBits(satel.ListOutputs.Size(s.model.Wide()), c.Outputs...)
	case command.SetClock:
		request.Clock = s.w.cfg.Clock().In(event.PanelZone())
	case command.ClearTroubles:
	}
	if c.Kind == command.OpenDoor {
		request.Expanders = make(satel.Bits, satel.ListExpanders.Size(false))
		for _, address := range c.Expanders {
			request.Expanders.SetAddress(address)
		}
	}
	return s.conn.Order(ctx, request, guard)
}

// controls are the panel's words for kinds of commands; the arming mode is added.
var controls = map[command.Kind]satel.Command{
	command.Arm: satel.CmdArm0, command.ForceArm: satel.CmdForceArm0, command.Disarm: satel.CmdDisarm, command.ClearAlarm: satel.CmdClearAlarm,
	command.Bypass: satel.CmdBypass, command.Unbypass: satel.CmdUnbypass, command.Isolate: satel.CmdIsolate,
	command.OutputsOn: satel.CmdOutputsOn, command.OutputsOff: satel.CmdOutputsOff, command.OutputsSwitch: satel.CmdOutputsSwitch,
	command.OpenDoor: satel.CmdOpenDoor, command.ClearTroubles: satel.CmdClearTroubles, command.SetClock: satel.CmdSetClock,
}

// errKind says that the database has a kind of command that this program does not know: a
// newer one runs beside it.
var errKind = errors.New("not a kind of command that is known here")

// has tells whether a panel of this model has everything that a command is for.
func (s *session) has(t command.Targets) bool {
	within := func(numbers []int, most int) bool { return len(numbers) == 0 || slices.Max(numbers) <= most }
	return within(t.Partitions, s.model.Partitions) && within(t.Zones, s.model.Zones) && within(t.Outputs, s.model.Outputs) &&
		within(t.Expanders, s.model.Expanders-1)
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
