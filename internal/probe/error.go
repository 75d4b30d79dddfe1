package probe

import (
	"context"
	"errors"
	"net"
	"syscall"

	"dozor/internal/errs"
	"dozor/satel/client"
)

// What can be wrong, in words that help.
var (
	errRefused    = errs.New(errs.Invalid, "probe_refused", "The host refuses connections on this port. Check the port, and that integration is enabled in the module.")
	errNobody     = errs.New(errs.Invalid, "probe_timeout", "Nothing answers at this address. Check the host, the network and the firewall.")
	errSilent     = errs.New(errs.Invalid, "probe_timeout", "The module takes the connection but does not answer. Check whether encryption of the integration is on there: it needs its key here.")
	errKey        = errs.New(errs.Invalid, "probe_key", "The module does not answer the first request: the integration key or the encryption setting does not fit.")
	errLate       = errs.New(errs.Invalid, "probe_timeout", "The panel began to answer and stopped. Check the quality of the link, and try again.")
	errBusy       = errs.New(errs.Invalid, "probe_busy", "The module is taken by another program: it serves one at a time. Close that connection and try again.")
	errNotAPanel  = errs.New(errs.Invalid, "probe_not_a_panel", "What answers there does not speak the protocol of a panel. Check the host and the port.")
	errWrongCode  = errs.New(errs.Invalid, "probe_wrong_code", "The panel does not know this user code, or its user may not work over the network.")
	errNoSuchHost = errs.New(errs.Invalid, "probe_failed", "The name of the host is not known.")
	errNoWay      = errs.New(errs.Invalid, "probe_failed", "There is no way to this address from here.")
	errOther      = errs.New(errs.Invalid, "probe_failed", "The panel could not be probed.")
)

// OwnPanel refuses to probe a panel that dozor itself is connected to.
func OwnPanel(name, siteName string) error {
	if name == "" {
		name = "without a name"
	}
	return errs.New(errs.Invalid, "probe_busy",
		"dozor itself is connected to this address: panel "+name+" of site "+siteName+". Disable that panel to probe it.")
}

func dialError(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, client.ErrBusy):
		return errBusy.Because(err)
	case errors.Is(err, client.ErrClosed):
		return errNotAPanel.Because(err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return errRefused.Because(err)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return errNoWay.Because(err)
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && !dns.IsTimeout {
		return errNoSuchHost.Because(err)
	}
	if timed, ok := errors.AsType[net.Error](err); ok && timed.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return errNobody.Because(err)
	}
	return errOther.Because(err)
}

// talkError says what was wrong with a connection that stood.
func (p *prober) talkError(err error) error {
	stats := p.conn.Stats()
	switch {
	case errors.Is(err, context.Canceled), errs.KindOf(err) == errs.Invalid:
		return err
	case errors.Is(err, client.ErrBusy):
		return errBusy.Because(err)
	case errors.Is(err, client.ErrKey):
		return errKey.Because(err)
	case stats.Answers == 0 && stats.Decoder.Frames == 0 && stats.Decoder.Skipped+stats.Decoder.Dropped() > 0:
		return errNotAPanel.Because(err)
	case stats.Answers == 0 && errors.Is(err, client.ErrClosed):
		return errNotAPanel.Because(err)
	case stats.Answers == 0 && (errors.Is(err, client.ErrTimeout) || errors.Is(err, context.DeadlineExceeded)):
		return errSilent.Because(err)
	case errors.Is(err, client.ErrTimeout), errors.Is(err, context.DeadlineExceeded), errors.Is(err, client.ErrClosed):
		return errLate.Because(err)
	}
	return errOther.Because(err)
}
