package child

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Account is whom a server runs as: ourselves, unless we are root. The zero value is
// ourselves in any case.
type Account struct {
	credential *syscall.Credential // nil: as ourselves
	uid, gid   int
}

// Unprivileged is ourselves, or, for root, the first of the named users that exists.
func Unprivileged(names ...string) (Account, error) {
	if os.Getuid() != 0 {
		return Account{uid: os.Getuid(), gid: os.Getgid()}, nil
	}
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errU := strconv.Atoi(u.Uid)
		gid, errG := strconv.Atoi(u.Gid)
		if errU == nil && errG == nil {
			return Account{credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, uid: uid, gid: gid}, nil
		}
	}
	return Account{}, fmt.Errorf("a private server does not run as root and there is no user %s", strings.Join(names, " or "))
}

// Credential is what a command of the account is started with; nil: as ourselves.
func (a Account) Credential() *syscall.Credential { return a.credential }

// Own gives a file or folder to the account.
func (a Account) Own(path string) error {
	if a.credential == nil {
		return nil
	}
	if err := os.Chown(path, a.uid, a.gid); err != nil {
		return fmt.Errorf("give %s to the server's user: %w", path, err)
	}
	return nil
}

// Place is dir, or a replacement with a stable name that begins with dozor-name where a
// parent of dir is closed to the account, as the home of root is.
func (a Account) Place(dir, name string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the server's folder: %w", err)
	}
	if a.credential != nil && !a.canReach(filepath.Dir(dir)) {
		dir = filepath.Join(os.TempDir(), fmt.Sprintf("dozor-%s-%08x", name, digest(dir)))
	}
	return dir, nil
}

// MakePlace makes the folder that Place names, the account's own and closed to others.
func (a Account) MakePlace(dir, name string) (string, error) {
	dir, err := a.Place(dir, name)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("make the server's folder: %w", err)
	}
	return dir, a.MakeDir(dir)
}

// MakeDir makes one folder, the account's own and closed to others. One that exists is
// taken over.
func (a Account) MakeDir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make the server's folder: %w", err)
	}
	return a.Own(dir)
}

// canReach reports whether every existing folder on the way lets the account through.
func (a Account) canReach(dir string) bool {
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

// socketPathMax is how long the kernel lets the path of a socket be.
const socketPathMax = 107

// SocketDir finds a folder for a socket of the name given: dir/socket, or one with a
// short, stable name where that path would be too long. It makes nothing.
func (a Account) SocketDir(dir, name string) (string, error) {
	folder := filepath.Join(dir, "socket")
	if len(folder)+1+len(name) <= socketPathMax {
		return folder, nil
	}
	folder = filepath.Join("/tmp", fmt.Sprintf("dozor-socket-%08x", digest(dir)))
	// The stable name lies where anybody may write: take nobody else's folder.
	if info, err := os.Lstat(folder); err == nil {
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok || !info.IsDir() || int(st.Uid) != a.uid {
			return "", fmt.Errorf("%s belongs to somebody else", folder)
		}
	}
	return folder, nil
}

func digest(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	return h.Sum32()
}
