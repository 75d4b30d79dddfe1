package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// ProcessUse is what a process used while it was measured.
type ProcessUse struct {
	Name string  `json:"name"`
	CPU  float64 `json:"cpu_s"`
	// RSS is the memory at the end. What processes of PostgreSQL share is counted once.
	RSS float64 `json:"rss_mib"`
}

// clockTicks is USER_HZ, in which the kernel tells CPU time; 100 on every Linux of Go.
const clockTicks = 100

// stat is the part of /proc/PID/stat that matters.
type stat struct {
	parent, group int
	own, children time.Duration // CPU; children are those waited for
	resident      int64         // bytes
}

// parseStat reads a line of /proc/PID/stat. The name of the program is in parentheses and
// may contain anything.
func parseStat(line []byte) (stat, error) {
	const state, parent, group, utime, stime, cutime, cstime, resident = 0, 1, 2, 11, 12, 13, 14, 21
	end := bytes.LastIndexByte(line, ')')
	fields := bytes.Fields(line[end+1:])
	if end < 0 || len(fields) <= resident {
		return stat{}, fmt.Errorf("read a process: %q", line)
	}
	var numbers [resident + 1]int64
	for i := range numbers {
		if i == state {
			continue
		}
		n, err := strconv.ParseInt(string(fields[i]), 10, 64)
		if err != nil {
			return stat{}, fmt.Errorf("read a process: %w", err)
		}
		numbers[i] = n
	}
	ticks := func(n int64) time.Duration { return time.Duration(n) * time.Second / clockTicks }
	return stat{
		parent: int(numbers[parent]), group: int(numbers[group]),
		own: ticks(numbers[utime] + numbers[stime]), children: ticks(numbers[cutime] + numbers[cstime]),
		resident: numbers[resident] * int64(os.Getpagesize()),
	}, nil
}

func readStat(pid int) (stat, error) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	return parseStat(line)
}

type usage struct {
	cpu time.Duration
	rss int64
}

// ofProcess is what one process has used.
func ofProcess(pid int) (usage, error) {
	s, err := readStat(pid)
	return usage{cpu: s.own, rss: s.resident}, err
}

// ofFamily is what a process and those that it started have used, ended ones included.
// PostgreSQL's processes lead groups of their own, so that the parent tells.
func ofFamily(pid int) (usage, error) {
	entries, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return usage{}, err
	}
	var sum usage
	found := false
	for _, entry := range entries {
		member, err := strconv.Atoi(filepath.Base(entry))
		if err != nil {
			continue
		}
		s, err := readStat(member)
		if errors.Is(err, fs.ErrNotExist) || err != nil && member != pid {
			continue // ended meanwhile
		}
		if err != nil {
			return usage{}, err
		}
		switch {
		case member == pid:
			found = true
			sum.cpu += s.own + s.children
		case s.parent == pid || s.group == pid:
			sum.cpu += s.own
		default:
			continue
		}
		sum.rss += proportional(member, s.resident)
	}
	if !found {
		return usage{}, fmt.Errorf("read process %d: it is gone", pid)
	}
	return sum, nil
}

// proportional is a process's memory with its share of what it has in common with others;
// all of it where the kernel does not tell.
func proportional(pid int, resident int64) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return resident
	}
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) >= 2 && string(fields[0]) == "Pss:" {
			if kib, err := strconv.ParseInt(string(fields[1]), 10, 64); err == nil {
				return kib << 10
			}
		}
	}
	return resident
}

// meter reads what one of the measured processes has used.
type meter struct {
	name string
	read func() (usage, error)
}

// meters count from the moment of their making.
type meters struct {
	all    []meter
	before []usage
}

func startMeters(all ...meter) (*meters, error) {
	m := &meters{all: all}
	for _, one := range all {
		u, err := one.read()
		if err != nil {
			return nil, fmt.Errorf("measure %s: %w", one.name, err)
		}
		m.before = append(m.before, u)
	}
	return m, nil
}

// stop returns what was used since the start.
func (m *meters) stop() ([]ProcessUse, error) {
	used := make([]ProcessUse, 0, len(m.all))
	for i, one := range m.all {
		u, err := one.read()
		if err != nil {
			return nil, fmt.Errorf("measure %s: %w", one.name, err)
		}
		used = append(used, ProcessUse{
			Name: one.name, CPU: round((u.cpu - m.before[i].cpu).Seconds(), 2), RSS: round(float64(u.rss)/(1<<20), 1),
		})
	}
	return used, nil
}

func processMeter(name string, pid int) meter {
	return meter{name, func() (usage, error) { return ofProcess(pid) }}
}
