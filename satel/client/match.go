package client

import (
	"bytes"

	"dozor/satel"
)

// resultUse says what a CmdResult means to a request.
type resultUse uint8

const (
	resultForeign resultUse = iota // nothing: not an answer to it
	resultMissing                  // an answer when it says that there is no such object
	resultAny                      // an answer
)

// expectation says which frames answer a request: those of its command whose data repeat the echo at the given place,
// and results by their use.
type expectation struct {
	cmd     satel.Command
	echo    [3]byte
	echoLen int
	echoAt  int
	result  resultUse
	loose   bool // whether any index is taken for the newest record's echo
}

// Places at which answers repeat their request.
const (
	calledIndexAt = 11
	indexSize     = 3
	objectSize    = 2
	textCodeSize  = 2

	// subscriptionSize is the shortest request for new data that is a subscription.
	subscriptionSize = 2 * satel.NewDataShort
)

func expect(cmd satel.Command, data []byte) expectation {
	e := expectation{cmd: cmd}
	echo := 0
	switch {
	case cmd.IsControl():
		e.cmd, e.result = satel.CmdResult, resultAny
	case cmd == satel.CmdNewData && len(data) >= subscriptionSize:
		e.cmd, e.result = satel.CmdResult, resultAny
	case cmd == satel.CmdEventRecord:
		echo, e.echoAt = indexSize, calledIndexAt
	case cmd == satel.CmdEventText:
		echo = textCodeSize
	case cmd == satel.CmdObjectName:
		echo, e.result = objectSize, resultMissing
	case cmd == satel.CmdZoneTemperature, cmd == satel.CmdOutputPower:
		echo = 1
	case cmd >= satel.CmdSelf && cmd <= satel.CmdUserLocks:
		e.result = resultAny
	}
	if len(data) >= echo {
		e.echoLen = copy(e.echo[:], data[:echo])
	}
	return e
}

// matches tells whether a frame answers the request.
func (e expectation) matches(f satel.Frame) bool {
	if f.Cmd == satel.CmdResult {
		switch e.result {
		case resultAny:
			return true
		case resultMissing:
			return len(f.Data) == 1 && satel.Result(f.Data[0]) == satel.ResultOther
		}
	}
	return f.Cmd == e.cmd && e.echoes(f.Data) || e.loose && e.nearly(f)
}

func (e expectation) echoes(data []byte) bool {
	return len(data) >= e.echoAt+e.echoLen && bytes.Equal(data[e.echoAt:e.echoAt+e.echoLen], e.echo[:e.echoLen])
}

// nearly tells whether a frame would answer the request but for the index that it repeats of a request for the newest
// record: a module that puts the record's own index there instead would otherwise never answer.
func (e expectation) nearly(f satel.Frame) bool {
	return e.newest() && f.Cmd == e.cmd && len(f.Data) == calledIndexAt+indexSize
}

func (e expectation) newest() bool {
	return e.cmd == satel.CmdEventRecord && e.echoLen == indexSize && e.echo == satel.NewestIndex
}

// confusable tells whether some frame would answer both requests.
func (e expectation) confusable(other expectation) bool {
	if e.result != resultForeign && other.result != resultForeign {
		return true
	}
	if e.cmd != other.cmd {
		return false
	}
	return e.newest() || other.newest() || e.echo == other.echo || e.echoLen != other.echoLen
}

// mayBeUnasked tells whether modules send answers to the command that nobody has asked for.
func mayBeUnasked(cmd satel.Command) bool {
	return cmd == satel.CmdEventRecord || satel.Commands(cmd).Without(satel.CmdClock) != 0
}

// maySilent tells whether a healthy module may leave the request without an answer: for lack of a thermometer, or
// because its firmware does not know the command.
func maySilent(cmd satel.Command, data []byte) bool {
	switch cmd {
	case satel.CmdZoneTemperature, satel.CmdModuleVersion, satel.CmdTroubles8, satel.CmdTroublesMemory8,
		satel.CmdOutputPower, satel.CmdTroubles6, satel.CmdTroubles7, satel.CmdTroublesMemory6, satel.CmdTroublesMemory7:
		return true
	case satel.CmdNewData:
		return len(data) > 0
	default:
		return false
	}
}

// slow tells whether a module may need up to five seconds for the answer.
func slow(cmd satel.Command) bool {
	return cmd == satel.CmdZoneTemperature || cmd >= satel.CmdZonesMasked && cmd <= satel.CmdPartitionsWarning
}
