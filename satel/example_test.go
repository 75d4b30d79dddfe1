package satel_test

import (
	"fmt"
	"time"

	"dozor/satel"
)

func ExampleAppendFrame() {
	fmt.Printf("% X\n", satel.AppendFrame(nil, satel.CmdArmed, nil))
	// Output: FE FE 0A D7 EC FE 0D
}

func ExampleDecoder() {
	var d satel.Decoder
	frame := satel.AppendFrame(nil, satel.CmdArmed, satel.NewBits(4, 1, 3))
	d.Write([]byte("noise"))
	for _, b := range frame { // in any pieces
		d.Write([]byte{b})
		if f, ok := d.Next(); ok {
			fmt.Println(f.Cmd, satel.Bits(f.Data).Numbers())
		}
	}
	// Output: armed partitions (0x0A) [1 3]
}

func ExampleCipher() {
	c, err := satel.NewCipher("klucz")
	if err != nil {
		panic(err)
	}
	wire := c.AppendMessage(nil, satel.Message{
		Random: [2]byte{0x12, 0x34}, Sender: 0x5A, Frame: satel.AppendFrame(nil, satel.CmdArmedSuppressed, nil),
	})
	fmt.Printf("% X\n", wire)
	m, err := c.ParseMessage(wire[1:])
	if err != nil {
		panic(err)
	}
	fmt.Printf("% X\n", m.Frame)
	// Output:
	// 10 5C 11 58 C0 0D E0 75 0F 64 7E BD DF C9 89 01 86
	// FE FE 09 D7 EB FE 0D
}

func ExampleAppendControlRequest() {
	code, err := satel.EncodeUserCode("1234", "", satel.UserCodeSize)
	if err != nil {
		panic(err)
	}
	data, err := satel.AppendControlRequest(nil, satel.ControlRequest{
		Cmd: satel.CmdArm0, Code: code, Partitions: satel.NewBits(4, 1, 2, 29),
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("% X\n", data)
	// Output: 12 34 FF FF FF FF FF FF 03 00 00 10
}

func ExampleRecord_Decode() {
	r := satel.Record{0xBF, 0x17, 0xB0, 0x89, 0x08, 0x82, 0x05, 0x00}
	m, _ := satel.ModelByName("INTEGRA 128 PLUS")
	now := time.Date(2026, time.November, 28, 20, 0, 0, 0, time.UTC)
	e := r.Decode(m)
	fmt.Println(r.Resolve(now, time.UTC).Format(time.DateTime), e.Info.TextEN)
	fmt.Println("partition", e.Partition, e.Source.Kind, e.Source.Index, e.Info.Priority)
	// Output:
	// 2026-11-23 02:17:00 Burglary alarm
	// partition 2 zone 5 P2
}

func ExampleTrouble_Fault() {
	data := make([]byte, 47)
	data[40], data[44] = 0x80, 0x02
	troubles, err := satel.ParseTroubles(satel.CmdTroubles1, data)
	if err != nil {
		panic(err)
	}
	m, _ := satel.ModelByName("INTEGRA 64 PLUS")
	for _, t := range troubles.Active {
		device := t.Device()
		fmt.Println(device.Kind, device.Index, t.Fault(m, satel.KeypadGSM))
	}
	// Output:
	// panel 0 system_ac
	// keypad 1 gsm_imei_refused
}
