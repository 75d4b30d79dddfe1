package sim

import (
	"context"
	"net"
	"testing"
	"time"

	"dozor/satel"
)

// The module's own times are the floor under every figure that is measured against it: this shows how far above them a
// round trip lies.
func BenchmarkRoundTrip(b *testing.B) {
	panel, err := New(Config{MinGap: -1})
	if err != nil {
		b.Fatal(err)
	}
	s, err := NewServer(ServerConfig{Panels: []*Panel{panel}})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Stop(context.Background()) }()
	conn, err := net.Dial("tcp", s.PanelAddr(1))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	request := satel.AppendFrame(nil, satel.CmdNewData, nil)
	buf := make([]byte, 256)
	began := time.Now()
	rounds := 0
	for b.Loop() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := conn.Read(buf); err != nil {
			b.Fatal(err)
		}
		rounds++
	}
	above := time.Since(began)/time.Duration(rounds) - DefaultAnswerDelay
	b.ReportMetric(float64(above.Microseconds()), "µs-above-delay")
}
