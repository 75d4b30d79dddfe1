package pgtemp

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
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

// account is whom the server runs as; a nil credential means: as ourselves.
type account struct {
	credential *syscall.Credential
	uid, gid   int
}

func unprivileged() (account, error) {
	if os.Getuid() != 0 {
		return account{uid: os.Getuid(), gid: os.Getgid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errU := strconv.Atoi(u.Uid)
		gid, errG := strconv.Atoi(u.Gid)
		if errU == nil && errG == nil {
			return account{credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, uid: uid, gid: gid}, nil
		}
	}
	return account{}, errors.New("PostgreSQL refuses to run as root and there is no user postgres or nobody")
}

func (a account) own(path string) error {
	if a.credential == nil {
		return nil
	}
	if err := os.Chown(path, a.uid, a.gid); err != nil {
		return fmt.Errorf("give %s to the database's user: %w", path, err)
	}
	return nil
}

// place is dir, or a replacement with a stable name where a parent of dir is closed to
// the account, as the home of root is.
func (a account) place(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the database's folder: %w", err)
	}
	if a.credential != nil && !a.canReach(filepath.Dir(dir)) {
		dir = filepath.Join(os.TempDir(), fmt.Sprintf("dozor-postgres-%08x", digest(dir)))
	}
	return dir, nil
}

// reachable makes the cluster's place for the account.
func (a account) reachable(dir string) (string, error) {
	dir, err := a.place(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("make the database's folder: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("make the database's folder: %w", err)
	}
	return dir, a.own(dir)
}

// canReach reports whether every existing folder on the way lets the account through.
func (a account) canReach(dir string) bool {
	for {
		if info, err := os.Stat(dir); err == nil {
			st, ok := info.Sys().(*syscall.Stat_t)
			if !ok {
				return false
			}
			mode := info.Mode().Perm()
			switch {
			case int(st.Uid) == a.uid:
				mode >>= 6
			case int(st.Gid) == a.gid:
				mode >>= 3
			}
			if mode&1 == 0 {
				return false
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}

// maxSocketPath is what the kernel takes, 107 bytes, less the socket's own name.
const maxSocketPath = 107 - len("/.s.PGSQL.5432.lock")

// socketDir finds a place for the socket whose name is short enough.
func (a account) socketDir(dir string) (string, error) {
	socket := filepath.Join(dir, "socket")
	if len(socket) > maxSocketPath {
		socket = filepath.Join("/tmp", fmt.Sprintf("dozor-socket-%08x", digest(dir)))
		// The stable name lies where anybody may write: take nobody else's folder.
		if info, err := os.Lstat(socket); err == nil {
			st, ok := info.Sys().(*syscall.Stat_t)
			if !ok || !info.IsDir() || int(st.Uid) != a.uid {
				return "", fmt.Errorf("%s belongs to somebody else", socket)
			}
		}
	}
	return socket, nil
}

// makeSocketDir comes after initdb, which wants an empty folder.
func (a account) makeSocketDir(socket string) error {
	if err := os.Mkdir(socket, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make the socket's folder: %w", err)
	}
	return a.own(socket)
}

func digest(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	return h.Sum32()
}

func (a account) initdb(ctx context.Context, bin, dir string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", dir, "-U", OwnerRole,
		"--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.credential}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb in %s: %w: %s", dir, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Remove deletes the cluster that Start makes for dir, if it is not running, and nothing
// that is not a cluster.
func Remove(dir string) error {
	run, err := unprivileged()
	if err != nil {
		return err
	}
	if dir, err = run.place(dir); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "PG_VERSION")); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("remove the database in %s: %w", dir, err)
	}
	if pid, running := postmasterOf(dir); running {
		return fmt.Errorf("remove the database in %s: it is running (process %d)", dir, pid)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove the database in %s: %w", dir, err)
	}
	return nil
}
