package config

import (
	"fmt"
	"log/slog"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"dozor/internal/secret"
)

// Attrs are the settings for the log at start, by variable in lower case. A secret only
// says whether it is set.
func Attrs(settings any) []slog.Attr {
	var attrs []slog.Attr
	v := reflect.Indirect(reflect.ValueOf(settings))
	for field, value := range v.Fields() {
		if _, embedded := field.Tag.Lookup("embed"); embedded {
			attrs = append(attrs, Attrs(value.Interface())...)
			continue
		}
		name := strings.ToLower(field.Tag.Get(variableTag))
		if name == "" {
			continue
		}
		if s, ok := value.Interface().(secret.Redacted); ok && s == "" {
			attrs = append(attrs, slog.String(name, ""))
			continue
		}
		attrs = append(attrs, slog.Any(name, value.Interface()))
	}
	return attrs
}

// formatHelp says behind a flag's help which variable sets it.
func formatHelp(v *kong.Value) string {
	help := v.Help
	if variable := v.Tag.Get(variableTag); variable != "" {
		help += " ($" + variable + ")"
	}
	if v.HasDefault && v.Default != "" {
		help += " [" + v.Default + "]"
	}
	return help
}

// printHelp adds to kong's help the secrets of a command, which have no flag.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	var lines []string
	for _, flag := range ctx.Flags() {
		if flag.Hidden && isSecret(flag.Value) {
			lines = append(lines, fmt.Sprintf("  %-22s %s", flag.Tag.Get(variableTag), flag.Help))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(ctx.Stdout, "\nFrom the environment only, each also as a file named by the variable with _FILE behind it:\n%s\n",
		strings.Join(lines, "\n"))
	if err != nil {
		return fmt.Errorf("print help: %w", err)
	}
	return nil
}
