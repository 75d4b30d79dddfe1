package installer

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Write writes the report for a reader.
func (r Report) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(cells ...string) { fmt.Fprintln(t, strings.TrimRight(strings.Join(cells, "\t"), "\t")) }
	line("panel", r.title())
	module := "does not say"
	if r.Module != nil {
		module = fmt.Sprintf("firmware %s of %s", r.Module.Firmware, r.Module.Date)
		if len(r.Module.Capabilities) > 0 {
			module += ": " + strings.Join(r.Module.Capabilities, ", ")
		}
	}
	line("module", module)
	line("encrypted", yes(r.Encrypted))
	line("clock", fmt.Sprintf("%s, %s", r.Clock, drift(r.ClockOffsetS)))
	if r.ServiceMode {
		line("mode", "service mode: the panel takes no orders")
	}
	if u := r.User; u != nil {
		line("code of", fmt.Sprintf("user %d %q, %s, partitions %s", u.Number, u.Name, u.Kind, numbers(u.Partitions)))
		if len(u.Rights) > 0 {
			line("rights", strings.ReplaceAll(strings.Join(u.Rights, ", "), "_", " "))
		}
	}
	if len(r.Users) > 0 {
		section(t, "users", len(r.Users))
	}
	for _, u := range r.Users {
		line(fmt.Sprint(u.Number), u.Name)
	}
	section(t, "partitions", len(r.Partitions))
	for _, p := range r.Partitions {
		armed := "disarmed"
		if p.Armed {
			armed = fmt.Sprintf("armed, mode %d", *p.Mode)
		}
		line(fmt.Sprint(p.Number), p.Name, p.Type, strings.Join(append([]string{armed}, p.State...), ", "))
	}
	section(t, "zones", len(r.Zones))
	for _, z := range r.Zones {
		line(fmt.Sprint(z.Number), z.Name, z.Type, fmt.Sprintf("partition %d", z.Partition), strings.Join(z.State, ", "))
	}
	section(t, "outputs", len(r.Outputs))
	for _, o := range r.Outputs {
		line(fmt.Sprint(o.Number), o.Name, o.Type, strings.Join(o.State, ", "))
	}
	section(t, "modules", len(r.Modules))
	for _, m := range r.Modules {
		line(fmt.Sprintf("%s %d", m.Kind, m.Number), m.Name, m.Type)
	}
	section(t, "troubles", len(r.Troubles))
	for _, x := range r.Troubles {
		since := ""
		if x.Memory {
			since = "in memory"
		}
		line(x.where(), x.Name, x.Fault, since)
	}
	return t.Flush()
}

func section(w io.Writer, title string, n int) {
	if n == 0 {
		title += "\tnone"
	}
	fmt.Fprintf(w, "\n%s\n", title)
}

func (t Trouble) where() string {
	if t.Device == "panel" {
		return t.Device
	}
	return fmt.Sprintf("%s %d", t.Device, t.Number)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func drift(seconds int) string {
	switch {
	case seconds == 0:
		return "as ours"
	case seconds > 0:
		return fmt.Sprintf("%d s ahead of ours", seconds)
	default:
		return fmt.Sprintf("%d s behind ours", -seconds)
	}
}

func numbers(list []int) string {
	if len(list) == 0 {
		return "none"
	}
	var out []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		if j == i {
			out = append(out, fmt.Sprint(list[i]))
		} else {
			out = append(out, fmt.Sprintf("%d-%d", list[i], list[j]))
		}
		i = j + 1
	}
	return strings.Join(out, ", ")
}
