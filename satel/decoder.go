package satel

// DecoderStats counts what a Decoder has done since it was made.
type DecoderStats struct {
	Frames    uint64 // delivered
	BadCRC    uint64 // dropped: check value wrong
	Short     uint64 // dropped: ended before command and check value
	Cut       uint64 // dropped: a new start came before the end
	BadEscape uint64 // dropped: 0xFE followed by something without a meaning
	Oversize  uint64 // dropped: longer than any message can be
	Skipped   uint64 // bytes outside of any frame, without starts of frames
}

// Dropped returns the number of frames begun and not delivered.
func (s DecoderStats) Dropped() uint64 {
	return s.BadCRC + s.Short + s.Cut + s.BadEscape + s.Oversize
}

type decoderState uint8

const (
	stateHunt    decoderState = iota // outside of a frame
	stateHuntOne                     // outside of a frame, one FE seen
	stateStart                       // start seen, further FE change nothing, any other byte is the command
	stateBody                        // inside a frame
	stateEscape                      // inside a frame, FE seen
)

// Decoder finds the frames in a stream of bytes that may come in any pieces. The zero value is ready. From whatever it
// was fed before, it delivers the next undamaged frame.
//
// A Decoder is for one goroutine. Write copies what it is given, so the caller keeps its buffer.
type Decoder struct {
	in    []byte // written and not yet looked at: in[pos:]
	pos   int
	state decoderState
	n     int
	body  [maxBody]byte
	stats DecoderStats
}

// Write hands over received bytes. Call Next until it reports false before the next Write: what was not taken is kept,
// so memory grows with what is left lying.
func (d *Decoder) Write(p []byte) {
	if d.pos == len(d.in) {
		d.in, d.pos = d.in[:0], 0
	}
	d.in = append(d.in, p...)
}

// Next returns the next whole frame of what was written, or false when there is none yet. The frame's Data belongs to
// the decoder and is overwritten by the next call of Next; Write leaves it alone.
func (d *Decoder) Next() (Frame, bool) {
	for d.pos < len(d.in) {
		b := d.in[d.pos]
		d.pos++
		if !d.step(b) {
			continue
		}
		n := d.n
		return Frame{Cmd: Command(d.body[0]), Data: d.body[1 : n-2 : n-2]}, true
	}
	return Frame{}, false
}

// Stats returns the counts so far.
func (d *Decoder) Stats() DecoderStats { return d.stats }

// step takes one byte and reports whether it completed a good frame.
func (d *Decoder) step(b byte) bool {
	switch d.state {
	case stateHunt:
		if b == byteSync {
			d.state = stateHuntOne
		} else {
			d.stats.Skipped++
		}
	case stateHuntOne:
		if b == byteSync {
			d.begin()
		} else {
			d.state = stateHunt
			d.stats.Skipped += 2
		}
	case stateStart:
		if b != byteSync {
			d.state = stateBody
			d.add(b)
		}
	case stateBody:
		if b == byteSync {
			d.state = stateEscape
		} else {
			d.add(b)
		}
	case stateEscape:
		switch b {
		case byteStuff:
			d.state = stateBody
			d.add(byteSync)
		case byteEnd:
			d.state = stateHunt
			return d.finish()
		case byteSync:
			d.stats.Cut++
			d.begin()
		default:
			d.state = stateHunt
			d.stats.BadEscape++
		}
	}
	return false
}

func (d *Decoder) begin() {
	d.state = stateStart
	d.n = 0
}

func (d *Decoder) add(b byte) {
	if d.n == maxBody {
		d.state = stateHunt
		d.stats.Oversize++
		return
	}
	d.body[d.n] = b
	d.n++
}

func (d *Decoder) finish() bool {
	if d.n < 3 {
		d.stats.Short++
		return false
	}
	want := uint16(d.body[d.n-2])<<8 | uint16(d.body[d.n-1])
	if CRC(d.body[:d.n-2]) != want {
		d.stats.BadCRC++
		return false
	}
	d.stats.Frames++
	return true
}
