package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"dozor/internal/secret"
)

// password is what was given, or else the first line of stdin, which a terminal does not
// show.
func password(ctx context.Context, given secret.Redacted, s streams) (secret.Redacted, error) {
	if given != "" {
		return given, nil
	}
	return ask(ctx, "password", s)
}

// ask returns the first line of stdin, which a terminal does not show; what names the secret.
func ask(ctx context.Context, what string, s streams) (secret.Redacted, error) {
	line, err := hidden(s.in, func() (string, error) {
		fmt.Fprintf(s.err, "%s: ", what)
		return firstLine(ctx, s.in)
	})
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the %s: %w", what, err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", fmt.Errorf("no %s was given", what)
	}
	return secret.Redacted(line), nil
}

// firstLine reads until the end of the line or of ctx. Reading from a terminal can't be
// interrupted, so then the reader stays behind: the program ends, with the terminal as it
// was.
func firstLine(ctx context.Context, in *os.File) (string, error) {
	type outcome struct {
		line string
		err  error
	}
	read := make(chan outcome, 1)
	go func() {
		line, err := bufio.NewReader(in).ReadString('\n')
		read <- outcome{line, err}
	}()
	select {
	case o := <-read:
		return o.line, o.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// hidden reads while a terminal shows nothing of what is typed but the end of the line.
func hidden(in *os.File, read func() (string, error)) (string, error) {
	fd := int(in.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return read() // no terminal: a file or a pipe
	}
	silent := *before
	silent.Lflag = silent.Lflag&^unix.ECHO | unix.ECHONL
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &silent); err != nil {
		return "", fmt.Errorf("make the terminal silent: %w", err)
	}
	defer func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, before) }()
	return read()
}
