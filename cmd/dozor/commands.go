package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"dozor/internal/config"
	"dozor/internal/obs"
	"dozor/internal/pg"
	"dozor/internal/secret"
	"dozor/satel/sim"
)

// commands is the grammar of the command line.
type commands struct {
	Serve     serveCommand     `cmd:"" help:"Run the station, or some of its roles."`
	Demo      demoCommand      `cmd:"" help:"Run everything at once with simulated sites, to look around."`
	DemoSites demoSitesCommand `cmd:"" hidden:"" help:"Simulate the sites of the demonstration alone; dozor demo --full starts it."`
	Sim       simCommand       `cmd:"" help:"Simulate alarm panels that answer as real ones do, and take orders over HTTP."`
	Panel     struct {
		Probe  panelProbeCommand  `cmd:"" help:"Say what a panel is, has and does, and whose a code is."`
		Events panelEventsCommand `cmd:"" help:"Read back what a panel remembers."`
		Watch  panelWatchCommand  `cmd:"" help:"Tell of every change until Ctrl-C."`
	} `cmd:"" help:"Look at one alarm panel, without a station."`
	Migrate migrateCommand `cmd:"" help:"Bring the database to the schema of this program."`
	Key     struct {
		Init keyInitCommand `cmd:"" help:"Make a keyring, which seals secrets in the database."`
	} `cmd:"" help:"The keyring."`
	User struct {
		Create   userCreateCommand   `cmd:"" help:"Add a person who may sign in."`
		Password userPasswordCommand `cmd:"" help:"Give a person another password."`
	} `cmd:"" help:"People who may sign in."`
	Stream struct {
		Reset streamResetCommand `cmd:"" help:"Begin the stream anew, after a storage snapshot of the database was put back."`
	} `cmd:"" help:"The stream of notifications."`
	Bench struct {
		Alarm  benchAlarmCommand  `cmd:"" help:"Measure the way of alarms from panels to screens."`
		Ingest benchIngestCommand `cmd:"" help:"Measure how fast events go from the bus to the wire."`
		Screen benchScreenCommand `cmd:"" help:"Measure how fast a real browser paints alarms."`
		Push   benchPushCommand   `cmd:"" help:"Measure what sending to many clients costs, beside another server."`
		Panels benchPanelsCommand `cmd:"" help:"Measure what holding many panels costs, and how fast their events are on the bus."`
	} `cmd:"" help:"Measure this program on this machine."`
	BenchBare benchBareCommand `cmd:"" hidden:"" help:"Poll panels with the protocol's client alone; dozor bench panels starts it."`
	Version   versionCommand   `cmd:"" help:"Say what this program is."`
}

type simCommand struct {
	config.Sim `embed:""`
}

// Help is what dozor sim --help says below its first line.
func (*simCommand) Help() string {
	return `Each panel answers on a port of its own as an INTEGRA with an ETHM-1 Plus would, to this program and to every
other that speaks the protocol. What happens to it is ordered over HTTP, and the truth is read there:

  dozor sim --panels 500
  dozor sim --key "my key" --clients first-out
  dozor sim --panels 20 --profile storm --storm-for 10m --seed 7

  curl -X POST localhost:10080/panels/1/zones/4/violate
  curl -X POST localhost:10080/panels/1/partitions/1/arm
  curl -X POST localhost:10080/panels/1/trouble/mains
  curl -X POST 'localhost:10080/panels/1/link/drop?ms=30000'
  curl -X POST localhost:10080/panels/1/key -d '{"key": "my key"}'
  curl -X PATCH localhost:10080/panels/1/names/zone/4 -d '{"name": "Brama", "function": 5}'
  curl localhost:10080/panels/1               # state
  curl localhost:10080/panels/1/events        # every record there ever was
  curl localhost:10080/panels/1/connections   # who connected, asked and commanded
  curl -X POST 'localhost:10080/storm?ms=60000&seed=7'; curl localhost:10080/storm

go doc dozor/satel/sim Server.ControlHandler lists all orders. Whoever reaches the control address may do everything.
Event memories are kept in main memory and end with the program.`
}

func (c *simCommand) Run(ctx context.Context, s streams) error {
	clients, err := sim.ParseClientPolicy(c.Clients)
	if err != nil {
		return err
	}
	wrongKey, err := sim.ParseWrongKey(c.WrongKey)
	if err != nil {
		return err
	}
	storm := time.Duration(0)
	if c.Profile == "storm" {
		storm = c.StormFor
	}
	return sim.Run(ctx, sim.Options{
		Seed: c.Seed, Storm: storm,
		Listen: string(c.Listen), Panels: c.Panels, Model: c.Model, Code: c.Code, Control: string(c.Control),
		LogDelay: delay(c.LogDelay), AnswerDelay: delay(c.AnswerDelay), MinGap: delay(c.MinGap),
		Encrypted: c.Key != "", Key: c.Key, WrongKey: wrongKey, Clients: clients, OldModule: c.OldModule,
		Logger: obs.NewLogger(s.err, obs.Text, slog.LevelInfo),
	})
}

// delay turns the flag's "0s" into the simulator's word for none.
func delay(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

type migrateCommand struct {
	config.Migrate `embed:""`
}

func (c *migrateCommand) Run(ctx context.Context, s streams) error {
	version, err := pg.Migrate(ctx, c.Owner.Reveal(), obs.NewLogger(s.err, c.Log.Format, c.Log.Level))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "the database has schema version %d\n", version)
	return err
}

type keyInitCommand struct {
	config.KeyInit `embed:""`
}

func (c *keyInitCommand) Run(s streams) error {
	file, err := os.OpenFile(c.KeyFile, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if os.IsExist(err) {
		return fmt.Errorf("%s exists: a key in use must not be lost, so nothing was written", c.KeyFile)
	}
	if err != nil {
		return fmt.Errorf("make a keyring: %w", err)
	}
	defer file.Close()
	if _, err := fmt.Fprintln(file, secret.GenerateKey()); err != nil {
		return fmt.Errorf("make a keyring: %w", err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("make a keyring: %w", err)
	}
	_, err = fmt.Fprintf(s.out, "wrote %s\nKeep a copy apart from the backups of the database: without it no secret in there can be opened again.\n", c.KeyFile)
	return err
}
