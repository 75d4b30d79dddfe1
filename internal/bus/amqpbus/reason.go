package amqpbus

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"syscall"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Reason says in a stable word why RabbitMQ could not serve; empty for nil:
//
//	password    it hangs up during the login
//	vhost       the virtual host is not there, not this user's, or has no connection left
//	permission  the user may not read, write or configure what is needed
//	topology    a queue or an exchange is not as it must be
//	tls         one end speaks TLS and the other not, or its certificate is not trusted
//	refused     nobody listens there
//	timeout     no answer in time
//	memory      out of memory; disk: out of disk: nothing is taken until there is room
//	nacked      a queue refuses: it is full, or has lost its leader
//	unroutable  no queue took a message; it is declared anew
//	broken      the connection ended
//	error       anything else
func Reason(err error) string {
	var (
		foreign *TopologyError
		blocked *blockedError
	)
	switch {
	case err == nil:
		return ""
	case errors.As(err, &foreign):
		return "topology"
	case errors.As(err, &blocked):
		return blocked.word()
	case errors.Is(err, errLogin):
		return "password"
	case errors.Is(err, errNoAnswer), errors.Is(err, errNotConfirmed), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, errNacked):
		return "nacked"
	case errors.Is(err, errUnroutable):
		return "unroutable"
	case isTLS(err):
		return "tls"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	}
	if word := saidBy(err); word != "" {
		return word
	}
	if timed, ok := errors.AsType[net.Error](err); ok && timed.Timeout() {
		return "timeout"
	}
	if errors.Is(err, errBroken) || errors.Is(err, errCancelled) || errors.Is(err, amqp.ErrClosed) || errors.Is(err, syscall.ECONNRESET) {
		return "broken"
	}
	return "error"
}

// saidBy is the word for what the broker said, "" when it said nothing.
func saidBy(err error) string {
	said, ok := errors.AsType[*amqp.Error](err)
	if !ok || !said.Server {
		return ""
	}
	switch said.Code {
	case amqp.AccessRefused:
		return "permission"
	case amqp.NotAllowed:
		return "vhost"
	case amqp.NotFound:
		return "unroutable"
	case amqp.ConnectionForced:
		return "broken"
	}
	return "error"
}

func isTLS(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.AlertError](err)
	return ok || errors.Is(err, errTLSThere)
}

// blockedError says that the broker takes no messages for now.
type blockedError struct{ said string }

func (e *blockedError) Error() string { return "RabbitMQ takes no messages: " + e.said }

func (e *blockedError) word() string {
	switch {
	case strings.Contains(e.said, "memory"):
		return "memory"
	case strings.Contains(e.said, "disk"):
		return "disk"
	}
	return "error"
}
