package pg

import (
	"errors"
	"io"
	"net"
	"syscall"
)

func isNetwork(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for _, target := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.EPIPE, syscall.ECONNRESET, syscall.ECONNREFUSED, syscall.ENOENT} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
