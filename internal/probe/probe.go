package probe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"time"

	"dozor/internal/event"
	"dozor/internal/secret"
	"dozor/internal/site"
	"dozor/satel"
	"dozor/satel/client"
)

// Limit bounds a probe. It is less than what a client of ours waits for an answer, so that
// the reason of a failure still reaches it.
const Limit = 13 * time.Second

const dialTime = 5 * time.Second

// Target is what to probe.
type Target struct {
	Host string
	Port int
	Code secret.Redacted // user code: 4 to 8 digits
	Key  secret.Redacted // integration key, empty where the module does not encrypt
}

// Findings is what a panel says of itself.
type Findings struct {
	Model    string        `json:"model" doc:"Empty where the type is not known"`
	Firmware string        `json:"firmware"`
	Module   string        `json:"module" doc:"Version of the network module, empty where it does not say"`
	User     *CodeOwner    `json:"user,omitempty" doc:"Whose code it is, where the panel tells"`
	Objects  []site.Object `json:"objects"`
	Counts   PartCounts    `json:"counts"`
	// Complete is false where the time ended before the last name was read.
	Complete     bool `json:"complete" doc:"Whether every name was read; the rest comes once the panel is connected"`
	ClockOffsetS *int `json:"clock_offset_s,omitempty" doc:"The panel's clock minus ours"`
}

// CodeOwner is the user whose code was given.
type CodeOwner struct {
	Number int    `json:"number"`
	Name   string `json:"name"`
}

// PartCounts says how many parts have a name, and how many users there are.
type PartCounts struct {
	Partitions int  `json:"partitions"`
	Zones      int  `json:"zones"`
	Outputs    int  `json:"outputs"`
	Users      *int `json:"users,omitempty" doc:"Where the panel tells"`
}

// Run looks at a panel. Its errors are classified, with the codes probe_refused,
// probe_timeout, probe_key, probe_busy, probe_not_a_panel, probe_wrong_code and probe_failed, and
// invalid_panel for a target that can be none.
func Run(ctx context.Context, t Target) (Findings, error) {
	host, err := site.CheckAddress(t.Host, t.Port)
	if err != nil {
		return Findings{}, err
	}
	if err := site.CheckCode(t.Code); err != nil {
		return Findings{}, err
	}
	if err := site.CheckKey(t.Key); err != nil {
		return Findings{}, err
	}
	cfg := client.Config{Address: net.JoinHostPort(host, strconv.Itoa(t.Port))}
	if t.Key != "" {
		if cfg.Cipher, err = satel.NewCipher(t.Key.Reveal()); err != nil {
			return Findings{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	dial, stop := context.WithTimeout(ctx, dialTime)
	conn, err := client.Dial(dial, cfg)
	stop()
	if err != nil {
		return Findings{}, dialError(err)
	}
	defer conn.Close()
	p := &prober{conn: conn}
	if err := p.introduce(ctx); err != nil {
		return Findings{}, p.talkError(err)
	}
	if err := p.checkCode(ctx, t.Code); err != nil {
		return Findings{}, p.talkError(err)
	}
	if err := p.names(ctx); err != nil {
		return Findings{}, p.talkError(err)
	}
	return p.result, nil
}

// prober is one connection and what it has told so far.
type prober struct {
	conn   *client.Conn
	model  satel.Model
	result Findings
}

func (p *prober) introduce(ctx context.Context) error {
	version, err := p.conn.PanelVersion(ctx)
	if err != nil {
		return err
	}
	p.model, _ = satel.ModelByCode(version.Type)
	p.result.Model, p.result.Firmware = p.model.Name, version.Firmware.Version
	asked := time.Now()
	clock, at, err := p.conn.Clock(ctx)
	if err != nil {
		return err
	}
	// The panel shows whole seconds: half of one is what is missing on average.
	offset := clock.Time(event.PanelZone()).Add(500 * time.Millisecond).Sub(asked.Add(at.Sub(asked) / 2))
	seconds := int(math.Round(offset.Seconds()))
	p.result.ClockOffsetS = &seconds
	module, err := p.conn.ModuleVersion(ctx)
	switch {
	case err == nil:
		p.result.Module = module.Firmware.Version
	case client.IsLost(err) || ctx.Err() != nil:
		return err
	}
	return nil // an old module leaves that question open
}

// checkCode asks once whose code it is.
func (p *prober) checkCode(ctx context.Context, digits secret.Redacted) error {
	code, err := satel.EncodeUserCode(digits.Reveal(), "", satel.UserCodeSize)
	if err != nil {
		return err
	}
	defer clear(code)
	answer, err := p.conn.Request(ctx, satel.CmdSelf, code)
	if err != nil {
		if client.IsLost(err) || ctx.Err() != nil {
			return err
		}
		return nil // a panel that leaves it open can't be asked more
	}
	if answer.Frame.Cmd == satel.CmdResult {
		result, err := satel.ParseResult(answer.Frame.Data)
		if err == nil && (result == satel.ResultCodeNotFound || result == satel.ResultCodeWrongOrTaken) {
			return errWrongCode
		}
		return err
	}
	self, err := satel.ParseSelf(answer.Frame.Data)
	if err != nil {
		return err
	}
	p.result.User = &CodeOwner{Number: self.Number, Name: self.Name}
	answer, err = p.conn.Request(ctx, satel.CmdUserList, append(code, byte(self.Number)))
	switch {
	case err != nil && (client.IsLost(err) || ctx.Err() != nil):
		return err
	case err != nil || answer.Frame.Cmd == satel.CmdResult:
		return nil // not everybody may know who else there is
	}
	users, err := satel.ParseUsers(answer.Frame.Data)
	if err != nil {
		return err
	}
	count := users.Existing.Count()
	p.result.Counts.Users = &count
	return nil
}

// names reads names until the last one, or until the time ends.
func (p *prober) names(ctx context.Context) error {
	p.result.Objects = []site.Object{}
	for _, kind := range []struct {
		name   string
		asked  satel.ObjectType
		top    int
		counts *int
	}{
		{"partition", satel.NamePartition, p.model.Partitions, &p.result.Counts.Partitions},
		{"zone", satel.NameZoneAndPartition, p.model.Zones, &p.result.Counts.Zones},
		{"output", satel.NameOutput, p.model.Outputs, &p.result.Counts.Outputs},
	} {
		for number := 1; number <= kind.top; number++ {
			name, there, err := p.conn.Name(ctx, kind.asked, number)
			switch {
			case errors.Is(err, context.DeadlineExceeded):
				return nil
			case client.IsLost(err) || ctx.Err() != nil:
				return fmt.Errorf("read the name of %s %d: %w", kind.name, number, err)
			case err != nil || !there:
				continue // one lost answer is ordinary; the worker reads it again
			}
			object := site.Object{Kind: kind.name, Number: number, Name: name.Text, Function: int(name.Function)}
			if kind.asked == satel.NameZoneAndPartition && len(name.Extra) > 0 {
				object.Partition = int(name.Extra[0])
			}
			p.result.Objects = append(p.result.Objects, object)
			*kind.counts++
		}
	}
	p.result.Complete = true
	return nil
}
