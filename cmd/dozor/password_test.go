package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// terminal opens a pseudo terminal: the user's end and the program's.
func terminal(t *testing.T) (user, program *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { user.Close() })
	fd := int(user.Fd())
	require.NoError(t, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	require.NoError(t, err)
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { program.Close() })
	return user, program
}

// typist types as soon as it is asked.
type typist struct {
	user *os.File
	line string
}

func (w typist) Write(asked []byte) (int, error) {
	_, err := io.WriteString(w.user, w.line)
	return len(asked), err
}

func TestAPasswordTypedIsNotShown(t *testing.T) {
	user, program := terminal(t)
	got, err := password(t.Context(), "", streams{in: program, err: typist{user, "s3cret word\n"}})
	require.NoError(t, err)
	require.Equal(t, "s3cret word", got.Reveal())

	// The terminal is as it was: what is typed now is shown.
	_, err = io.WriteString(user, "visible\n")
	require.NoError(t, err)
	var shown strings.Builder
	for !strings.Contains(shown.String(), "visible\r\n") {
		buf := make([]byte, 256)
		n, err := user.Read(buf)
		require.NoError(t, err)
		shown.Write(buf[:n])
	}
	require.Equal(t, "\r\nvisible\r\n", shown.String())
}

func TestWhoeverLeavesWhileTypingGetsTheTerminalBack(t *testing.T) {
	user, program := terminal(t)
	before, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	_, err = password(ctx, "", streams{in: program, err: leaving(cancel)})
	require.ErrorIs(t, err, context.Canceled)
	after, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS)
	require.NoError(t, err)
	require.Equal(t, before, after)
	_, err = io.WriteString(user, "\n") // the reader that stayed behind
	require.NoError(t, err)
}

// leaving is somebody who presses Ctrl-C instead.
type leaving func()

func (l leaving) Write(asked []byte) (int, error) { l(); return len(asked), nil }

func TestAPasswordFromAPipe(t *testing.T) {
	for text, want := range map[string]string{"word\n": "word", "word\r\n": "word", "word": "word", "one\ntwo\n": "one", "": "", "\n": ""} {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		_, err = w.WriteString(text)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		got, err := password(t.Context(), "", streams{in: r, err: io.Discard})
		require.NoError(t, r.Close())
		if want == "" {
			require.ErrorContains(t, err, "no password was given")
			continue
		}
		require.NoError(t, err)
		require.Equal(t, want, got.Reveal())
	}
	got, err := password(t.Context(), "given", streams{})
	require.NoError(t, err)
	require.Equal(t, "given", got.Reveal())
}
