package pgtemp

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"dozor/internal/child"
)

// binaries finds the newest PostgreSQL on the machine; Debian keeps the server's
// programs out of PATH, one folder for each major version.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) > 0 {
		slices.SortFunc(found, func(a, b string) int { return major(a) - major(b) })
		return filepath.Dir(found[len(found)-1]), nil
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("no PostgreSQL server on this machine: install the package postgresql")
}

func major(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// kind is what a cluster is. PostgreSQL refuses to run as root.
var kind = child.Kind{
	Name: "PostgreSQL", Users: []string{"postgres", "nobody"}, Place: "postgres", Mark: "PG_VERSION", PIDFile: "postmaster.pid",
	Is: func(pid int, _ string) bool { return isPostgres(pid) },
}

// socketName is the longest name that PostgreSQL makes beside its socket.
const socketName = ".s.PGSQL.5432.lock"

func initdb(ctx context.Context, run child.Account, bin, dir string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", dir, "-U", OwnerRole,
		"--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: run.Credential()}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb in %s: %w: %s", dir, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Remove deletes the cluster that Start makes for dir, if it is not running, and nothing
// that is not a cluster.
func Remove(dir string) error { return kind.Remove(dir) }
