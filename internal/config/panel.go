package config

import "dozor/internal/secret"

// fromTerminal stands for a file: the secret is asked for where it cannot be seen.
const fromTerminal = "-"

// Panel is how commands about one alarm panel reach it.
type Panel struct {
	Address   Address         `arg:"" placeholder:"HOST:PORT" help:"Where the panel's network module listens."`
	Key       secret.Redacted `name:"key" var:"DOZOR_PANEL_KEY" hidden:"" help:"The integration key of a module that encrypts."`
	KeyFile   string          `placeholder:"FILE" help:"Where the integration key of a module that encrypts is; - asks at the terminal, DOZOR_PANEL_KEY (or _FILE) holds it too."`
	Encrypted bool            `help:"The module encrypts though no key is set in it."`
	JSON      bool            `help:"Write JSON, for programs."`
}

func (c *Panel) check(p *problems) {
	c.Key = p.secretFrom("--key-file", c.KeyFile, "DOZOR_PANEL_KEY", c.Key)
}

// AskKey tells whether the key is to be asked for at the terminal.
func (c *Panel) AskKey() bool { return c.KeyFile == fromTerminal }

// secretFrom returns the secret in the file that a flag names, or what its variable gave.
func (p *problems) secretFrom(flag, path, variable string, given secret.Redacted) secret.Redacted {
	switch {
	case path == "":
		return given
	case given != "":
		p.add(flag, "set together with "+variable+": which one counts?")
	case path != fromTerminal:
		return secret.Redacted(p.read(flag, path))
	}
	return given
}

// PanelProbe is what dozor panel probe can be told.
type PanelProbe struct {
	Panel    `embed:""`
	Code     secret.Redacted `name:"code" var:"DOZOR_PANEL_CODE" hidden:"" help:"A user code, to see whose it is."`
	CodeFile string          `placeholder:"FILE" help:"Where a user code is, to see whose it is and what it may; - asks at the terminal, DOZOR_PANEL_CODE (or _FILE) holds it too."`
}

func (c *PanelProbe) check(p *problems) {
	c.Panel.check(p)
	c.Code = p.secretFrom("--code-file", c.CodeFile, "DOZOR_PANEL_CODE", c.Code)
}

// AskCode tells whether the code is to be asked for at the terminal.
func (c *PanelProbe) AskCode() bool { return c.CodeFile == fromTerminal }

// PanelEvents is what dozor panel events can be told.
type PanelEvents struct {
	Panel `embed:""`
	Last  int `default:"50" placeholder:"N" help:"How many records to read back; the oldest of them comes first."`
}

// maxLast is more than any panel keeps.
const maxLast = 30000

func (c *PanelEvents) check(p *problems) {
	c.Panel.check(p)
	if c.Last < 1 || c.Last > maxLast {
		p.add("--last", "want 1 to 30000")
	}
}

// PanelWatch is what dozor panel watch can be told.
type PanelWatch struct {
	Panel `embed:""`
}

func (c *PanelWatch) check(p *problems) { c.Panel.check(p) }
