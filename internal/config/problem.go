package config

import (
	"errors"
	"net/url"
	"os"
	"slices"
	"strings"

	"dozor/internal/secret"
)

// problems collects what is wrong with settings. The zero value is ready.
type problems struct {
	lines []string
	named map[string]bool
}

// Error says everything that is wrong with the settings, one line each.
type Error struct{ Problems []string }

func (e *Error) Error() string {
	if len(e.Problems) == 1 {
		return e.Problems[0]
	}
	return "the settings can't be used:\n  " + strings.Join(e.Problems, "\n  ")
}

func (p *problems) err() error {
	if len(p.lines) == 0 {
		return nil
	}
	return &Error{Problems: slices.Clone(p.lines)}
}

// add notes a problem of a setting, named by its variable or flag with more in brackets
// perhaps. Only the first of each counts: a value that can't be read is not also missing.
func (p *problems) add(name, what string) {
	setting, _, _ := strings.Cut(name, " ")
	setting = strings.TrimSuffix(setting, fileSuffix)
	if p.named[setting] {
		return
	}
	if p.named == nil {
		p.named = map[string]bool{}
	}
	p.named[setting] = true
	p.lines = append(p.lines, name+": "+what)
}

func (p *problems) readable(name, path string) {
	file, err := os.Open(path)
	if err != nil {
		p.add(name, err.Error())
		return
	}
	if err := file.Close(); err != nil {
		p.add(name, err.Error())
	}
}

func (p *problems) requiredDSN(name string, dsn secret.Redacted) {
	if dsn == "" {
		p.add(name, "missing: set it, or name a file in "+name+fileSuffix)
		return
	}
	p.dsn(name, dsn)
}

// dsn looks at what a database URL must have, without ever quoting it.
func (p *problems) dsn(name string, dsn secret.Redacted) {
	if dsn == "" {
		return
	}
	if err := checkDSN(dsn.Reveal()); err != nil {
		p.add(name, err.Error()+": want postgres://user:password@host:port/database?options")
	}
}

func checkDSN(dsn string) error {
	u, err := url.Parse(dsn)
	switch {
	case err != nil:
		return errors.New("no URL") // the parser's own words quote the password
	case u.Scheme != "postgres" && u.Scheme != "postgresql":
		return errors.New("no database URL")
	case u.Host == "" && u.Query().Get("host") == "":
		return errors.New("no host in it")
	case strings.Trim(u.Path, "/") == "":
		return errors.New("no database in it")
	}
	return nil
}
