package client

import "errors"

// Errors of this package, to be told apart with errors.Is.
var (
	// ErrBusy means that the module is taken: another program, or an earlier connection it has not yet noticed to be
	// gone, holds its only place.
	ErrBusy = errors.New("module is taken by another client")

	// ErrTimeout means that one request was not answered in time. The connection is still usable unless the error
	// wraps ErrReconnect too.
	ErrTimeout = errors.New("no answer in time")

	// ErrReconnect means that two requests in a row were not answered. The connection has been closed.
	ErrReconnect = errors.New("two requests in a row without an answer, connect again")

	// ErrNoAnswer comes with ErrTimeout or ErrClosed when the module has not answered anything on this connection:
	// most often a wrong key, or encryption on one side only.
	ErrNoAnswer = errors.New("module has never answered: check integration key and encryption setting")

	// ErrKey comes with ErrNoAnswer when the connection is encrypted: the most likely reason is a wrong key, or a module
	// that does not encrypt. There is no way to be sure: a module says nothing of it.
	ErrKey = errors.New("integration key does not open the module")

	// ErrClosed means that the connection is closed, by this side or by the module.
	ErrClosed = errors.New("connection to module is closed")

	// ErrRequest means that the protocol cannot carry such a request.
	ErrRequest = errors.New("request cannot be sent")
)
