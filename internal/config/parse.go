package config

import (
	"encoding"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"dozor/internal/obs"
	"dozor/internal/secret"
)

// checker is a command's settings that know what can be wrong with them.
type checker interface{ check(p *problems) }

// Parse fills the command-line grammar cli from args and the environment, and checks the
// settings of the chosen command. The error lists everything that is wrong.
func Parse(cli any, args []string, options ...kong.Option) (*kong.Context, error) {
	var p problems
	options = append(append(p.mappers(), kong.Resolvers(&p), kong.Help(printHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ValueFormatter(formatHelp)), options...)
	parser, err := kong.New(cli, options...)
	if err != nil {
		return nil, fmt.Errorf("build the command line: %w", err)
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		return nil, errors.Join(err, p.err())
	}
	for _, path := range ctx.Path {
		if path.Flag != nil && !path.Resolved && isSecret(path.Flag.Value) {
			name := path.Flag.Tag.Get(variableTag)
			p.add(name, "not on the command line, where others can see it: set the variable, or name a file in "+name+fileSuffix)
		}
		node := path.Node()
		if node == nil || !node.Target.CanAddr() {
			continue
		}
		if c, ok := node.Target.Addr().Interface().(checker); ok {
			c.check(&p)
		}
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return ctx, nil
}

const (
	// variableTag names in a field's tag the environment variable. It is not kong's
	// own, whose errors would quote a secret and end at the first problem.
	variableTag = "var"
	fileSuffix  = "_FILE"
	// maxSecretFile is far more than any secret needs.
	maxSecretFile = 64 << 10
)

func isSecret(v *kong.Value) bool { return v.Target.Type() == reflect.TypeFor[secret.Redacted]() }

// mappers decode values without ever failing: a value that can't be read becomes a
// problem, so that the others are looked at too.
func (p *problems) mappers() []kong.Option {
	return []kong.Option{
		mapper(p, func(s string) (secret.Redacted, error) { return secret.Redacted(s), nil }),
		mapper(p, func(s string) (time.Duration, error) {
			d, err := time.ParseDuration(s)
			if err != nil {
				err = fmt.Errorf("%q is no time: want a number and a unit, as in 250ms or 30s", s)
			}
			return d, err
		}),
		mapper(p, func(s string) (int, error) {
			n, err := strconv.Atoi(s)
			if err != nil {
				err = fmt.Errorf("%q is no number", s)
			}
			return n, err
		}),
		mapper(p, func(s string) (slog.Level, error) {
			var level slog.Level
			err := level.UnmarshalText([]byte(s))
			if err != nil {
				err = fmt.Errorf("%q is no level: want debug, info, warn or error", s)
			}
			return level, err
		}),
		mapper(p, text[Roles]),
		mapper(p, text[Address]),
		mapper(p, text[obs.Format]),
	}
}

func text[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](s string) (T, error) {
	var v T
	err := P(&v).UnmarshalText([]byte(s))
	return v, err
}

func mapper[T any](p *problems, parse func(string) (T, error)) kong.Option {
	return kong.TypeMapper(reflect.TypeFor[T](), kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
		token, err := ctx.Scan.PopValue(ctx.Value.Name)
		if err != nil {
			return err
		}
		value, err := parse(token.String())
		if err != nil {
			p.add(label(ctx.Value), err.Error())
			return nil
		}
		target.Set(reflect.ValueOf(value))
		return nil
	}))
}

// label names a setting as the person who sets it knows it.
func label(v *kong.Value) string {
	name := v.Name
	if v.Flag != nil {
		name = "--" + name
	}
	if variable := v.Tag.Get(variableTag); variable != "" {
		return variable + " (" + name + ")"
	}
	return name
}

// Validate makes problems a kong.Resolver.
func (p *problems) Validate(*kong.Application) error { return nil }

// Resolve finds the value of a flag of the chosen command that is not on the command
// line: in its variable, or for a secret in the file that X_FILE names.
func (p *problems) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	name := flag.Tag.Get(variableTag)
	if name == "" {
		return nil, nil //nolint:nilnil // kong's contract: no value, no error
	}
	value, file := os.Getenv(name), ""
	if isSecret(flag.Value) {
		file = os.Getenv(name + fileSuffix)
	}
	switch {
	case value != "" && file != "":
		p.add(name, "set together with "+name+fileSuffix+": which one counts?")
	case file != "":
		value = p.read(name+fileSuffix, file)
	}
	if value == "" {
		return nil, nil //nolint:nilnil // kong's contract: no value, no error
	}
	return value, nil
}

// read returns what a secret's file holds, without the line break that editors leave.
func (p *problems) read(name, path string) string {
	file, err := os.Open(path)
	if err != nil {
		p.add(name, err.Error())
		return ""
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxSecretFile+1))
	value := strings.TrimRight(string(raw), "\r\n")
	switch {
	case err != nil:
		p.add(name, err.Error())
	case len(raw) > maxSecretFile:
		p.add(name, fmt.Sprintf("%s is no secret: more than %d bytes", path, maxSecretFile))
	case value == "":
		p.add(name, path+" is empty")
	default:
		return value
	}
	return ""
}
