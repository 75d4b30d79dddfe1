package config

import (
	"fmt"
	"log/slog"
	"net"
	"strconv"

	"dozor/internal/obs"
)

// Address is a host and a port to listen at; the host may be empty (every interface),
// the port 0 (any that is free).
type Address string

// UnmarshalText reads host:port.
func (a *Address) UnmarshalText(text []byte) error {
	_, port, err := net.SplitHostPort(string(text))
	if err != nil {
		return fmt.Errorf("%q is no address: want host:port", text)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return fmt.Errorf("%q is no address: the port is a number up to 65535", text)
	}
	*a = Address(text)
	return nil
}

// Loopback reports whether only this machine reaches the address.
func (a Address) Loopback() bool {
	host, _, err := net.SplitHostPort(string(a))
	return err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback())
}

// Log says what is logged and how.
type Log struct {
	Level  slog.Level `name:"log-level" var:"DOZOR_LOG_LEVEL" default:"info" placeholder:"LEVEL" help:"The least that is logged: debug, info, warn or error."`
	Format obs.Format `name:"log-format" var:"DOZOR_LOG_FORMAT" default:"json" placeholder:"FORMAT" help:"How lines look: json or text."`
}
