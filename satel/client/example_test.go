package client_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dozor/satel"
	"dozor/satel/client"
	"dozor/satel/sim"
)

// examplePanel is a simulated panel whose module encrypts, and where it listens.
func examplePanel() (address string, stop func()) {
	panels, err := sim.NewPanels(1, sim.Config{
		Code: "1234", Encrypted: true, Key: "klucz", AnswerDelay: -1, MinGap: -1, LogDelay: -1,
	})
	if err != nil {
		panic(err)
	}
	server, err := sim.NewServer(sim.ServerConfig{Panels: panels})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if err := server.Start(ctx); err != nil {
		panic(err)
	}
	return server.PanelAddr(1), func() {
		if err := errors.Join(server.Stop(ctx), panels[0].Close()); err != nil {
			panic(err)
		}
	}
}

func Example() {
	address, stop := examplePanel()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	cipher, err := satel.NewCipher("klucz")
	if err != nil {
		panic(err)
	}
	conn, err := client.Dial(ctx, client.Config{Address: address, Cipher: cipher})
	if err != nil {
		panic(err) // errors.Is tells client.ErrBusy from client.ErrKey
	}
	defer conn.Close()

	version, err := conn.PanelVersion(ctx)
	if err != nil {
		panic(err)
	}
	model, _ := satel.ModelByCode(version.Type)
	fmt.Println(model.Name)

	zone, ok, err := conn.Name(ctx, satel.NameZone, 7)
	if err != nil {
		panic(err)
	}
	fmt.Println(zone.Text, ok)

	code, err := satel.EncodeUserCode("1234", "", satel.UserCodeSize)
	if err != nil {
		panic(err)
	}
	result, err := conn.Arm(ctx, satel.CmdArm0, code, satel.NewBits(4, 1), nil)
	if err != nil {
		panic(err)
	}
	fmt.Println("arming:", result)
	// Output:
	// INTEGRA 128 PLUS
	// Przycisk kasa true
	// arming: ok
}

func ExampleConn_Subscribe() {
	address, stop := examplePanel()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cipher, err := satel.NewCipher("klucz")
	if err != nil {
		panic(err)
	}
	pushed := make(chan satel.Frame, 64)
	conn, err := client.Dial(ctx, client.Config{
		Address: address, Cipher: cipher,
		OnNews: func(f satel.Frame) { pushed <- f },
	})
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	result, err := conn.Subscribe(ctx, satel.Subscription{Changed: satel.Commands(satel.CmdOutputs)}, satel.NewDataMiddle)
	if err != nil {
		panic(err) // client.ErrTimeout: an old module, which has to be asked
	}
	fmt.Println(result)
	f := <-pushed // each list comes once at first, then at every change
	fmt.Println(f.Cmd, satel.Bits(f.Data).Numbers())
	// Output:
	// accepted
	// outputs (0x17) []
}
