// Command dozor is the whole program: the station itself in all its roles, and what is
// needed around it. dozor --help lists the commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"dozor/internal/config"
	"dozor/internal/lifecycle"
)

// Exit codes besides 0.
const (
	exitFailed = 1 // the command did not do what it was for
	exitUsage  = 2 // it was not understood, or its settings can't be used
)

// streams are where a command reads and writes.
type streams struct {
	in       *os.File
	out, err io.Writer
}

func main() {
	os.Exit(run(context.Background(), os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// run does what args say and returns the exit code.
func run(ctx context.Context, args []string, s streams) (code int) {
	// Help ends the program from within the parser.
	type left struct{ code int }
	defer func() {
		switch v := recover().(type) {
		case nil:
		case left:
			code = v.code
		default:
			panic(v)
		}
	}()

	var cli commands
	parsed, err := config.Parse(&cli, args,
		kong.Name("dozor"),
		kong.Description("dozor keeps watch over guarded sites: it holds the connection to their alarm panels, brings each alarm to the operators, and leads them to its end."),
		kong.Writers(s.out, s.err),
		kong.Exit(func(code int) { panic(left{code}) }))
	if err != nil {
		complain(s.err, err)
		return exitUsage
	}

	ctx, stop := lifecycle.UntilSignal(ctx, os.Exit)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err := parsed.Run(s); err != nil {
		// Whoever interrupts a command knows why it did not end.
		if _, interrupted := errors.AsType[lifecycle.InterruptedError](context.Cause(ctx)); interrupted && errors.Is(err, context.Canceled) {
			return exitFailed
		}
		complain(s.err, err)
		return exitFailed
	}
	return 0
}

func complain(w io.Writer, err error) {
	fmt.Fprintf(w, "dozor: %v\n", err)
	if _, isUsage := errors.AsType[*kong.ParseError](err); isUsage {
		fmt.Fprintln(w, "dozor --help lists the commands, dozor COMMAND --help what each can be told.")
	}
}
