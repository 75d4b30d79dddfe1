package app

import (
	"context"

	"dozor/internal/access"
	"dozor/internal/auth"
	"dozor/internal/config"
	"dozor/internal/outbox"
)

// commandLine is who acts in the audit when somebody works at the server itself.
const commandLine = "command line"

// CreateUser adds a user.
func (p Program) CreateUser(ctx context.Context, cfg config.UserCreate) error {
	core, err := open(ctx, cfg.Database, config.Servers{}, cfg.KeyFile, process{}, p)
	if err != nil {
		return err
	}
	defer core.close()
	_, err = core.auth.CreateUser(ctx, access.Station(commandLine),
		auth.NewUser{Login: cfg.Login, Name: cfg.Name, Role: access.Role(cfg.Role), Password: cfg.Password})
	return err
}

// SetPassword gives a user another password and ends their sessions.
func (p Program) SetPassword(ctx context.Context, cfg config.UserPassword) error {
	core, err := open(ctx, cfg.Database, config.Servers{}, cfg.KeyFile, process{}, p)
	if err != nil {
		return err
	}
	defer core.close()
	return core.auth.SetPassword(ctx, access.Station(commandLine), cfg.Login, cfg.Password)
}

// ResetStream begins a new epoch of the stream, as is needed after a storage snapshot
// was put back: positions would come twice, and no database could know.
func (p Program) ResetStream(ctx context.Context, cfg config.StreamReset) (epoch int64, err error) {
	direct, err := openDirect(ctx, cfg.Database)
	if err != nil {
		return 0, err
	}
	defer direct.Close()
	return outbox.Reset(ctx, direct)
}
