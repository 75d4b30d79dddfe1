package rabbittemp

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"dozor/internal/child"
)

var kind = child.Kind{
	Name: "RabbitMQ", Users: []string{"rabbitmq", "nobody"}, Place: "rabbitmq", Mark: configName, PIDFile: pidName, Is: worksIn,
}

type programs struct{ server, mapper, call string }

func findPrograms() (programs, error) {
	p := programs{server: "/usr/lib/rabbitmq/bin/rabbitmq-server"}
	if _, err := os.Stat(p.server); err != nil {
		return p, errors.New("no RabbitMQ server on this machine: install the package rabbitmq-server")
	}
	runtimes, _ := filepath.Glob("/usr/lib/erlang/erts-*/bin")
	if len(runtimes) == 0 {
		return p, errors.New("no Erlang on this machine: install the package erlang-base")
	}
	bin := runtimes[len(runtimes)-1]
	p.mapper, p.call = filepath.Join(bin, "epmd"), filepath.Join(bin, "erl_call")
	return p, nil
}

func (s *Server) home() string     { return filepath.Join(s.dir, "home") }
func (s *Server) database() string { return filepath.Join(s.dir, "data") }
func (s *Server) logs() string     { return filepath.Join(s.dir, "log") }
func (s *Server) pidFile() string  { return filepath.Join(s.dir, pidName) }

const (
	configName   = "rabbitmq.conf"
	pidName      = "pid"
	passwordName = "password"
	cookieName   = ".erlang.cookie"
)

// makeFiles makes what outlives a run: the folders, the cookie and the password, which
// the broker takes over only when its database is empty.
func (s *Server) makeFiles() error {
	for _, dir := range []string{s.home(), s.database(), s.logs()} {
		if err := s.run.MakeDir(dir); err != nil {
			return err
		}
	}
	if _, err := s.secret(filepath.Join(s.home(), cookieName), 0o400); err != nil {
		return err
	}
	var err error
	s.password, err = s.secret(filepath.Join(s.dir, passwordName), 0o600)
	return err
}

// secret reads a random word from a file, which it makes when it is missing.
func (s *Server) secret(path string, mode os.FileMode) (string, error) {
	raw, err := os.ReadFile(path)
	if err == nil {
		return string(raw), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read a secret of RabbitMQ: %w", err)
	}
	random := make([]byte, 20)
	if _, err := rand.Read(random); err != nil {
		return "", fmt.Errorf("make a secret of RabbitMQ: %w", err)
	}
	word := hex.EncodeToString(random)
	return word, s.write(path, word, mode)
}

func (s *Server) write(path, content string, mode os.FileMode) error {
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		return fmt.Errorf("configure RabbitMQ: %w", err)
	}
	return s.run.Own(path)
}

// settings of a private broker. The write-ahead log is half a gigabyte by default.
// A consumer may hold a message for a day: dozor puts messages off in its own memory.
const settings = `# written at each start by dozor
listeners.tcp.1 = 127.0.0.1:%d
num_acceptors.tcp = 2
default_user = %s
default_pass = %s
raft.wal_max_size_bytes = 33554432
consumer_timeout = 86400000
disk_free_limit.absolute = 50MB
log.console = false
log.file.level = warning
log.file.rotation.size = 1048576
log.file.rotation.count = 2
`

func (s *Server) configure() error {
	var b strings.Builder
	fmt.Fprintf(&b, settings, s.ports.amqp, User, s.password)
	for _, name := range slices.Sorted(maps.Keys(s.cfg.Settings)) {
		fmt.Fprintf(&b, "%s = %s\n", name, s.cfg.Settings[name])
	}
	return errors.Join(
		s.write(filepath.Join(s.dir, configName), b.String(), 0o600),
		s.write(filepath.Join(s.dir, "plugins"), "[].\n", 0o600),
	)
}

// environment is all that the broker's programs are told.
func (s *Server) environment() []string {
	return []string{
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=" + s.home(),
		"RABBITMQ_ALLOW_INPUT=1",
		"RABBITMQ_NODENAME=" + node,
		"RABBITMQ_DIST_PORT=" + strconv.Itoa(s.ports.distribution),
		"RABBITMQ_CONF_ENV_FILE=/dev/null",
		"RABBITMQ_CONFIG_FILE=" + filepath.Join(s.dir, configName),
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + filepath.Join(s.dir, "plugins"),
		"RABBITMQ_MNESIA_BASE=" + s.database(),
		"RABBITMQ_LOG_BASE=" + s.logs(),
		"RABBITMQ_PID_FILE=" + s.pidFile(),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none",
		"ERL_EPMD_PORT=" + strconv.Itoa(s.ports.mapper), "ERL_EPMD_ADDRESS=127.0.0.1",
		"ERL_CRASH_DUMP=/dev/null",
	}
}

// worksIn tells whether a process is the broker of a folder.
func worksIn(pid int, dir string) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && strings.Contains(string(line), filepath.Join(dir, "home")+"\x00")
}

// Remove deletes the broker that Start makes for dir, if it is not running, and nothing
// that is no broker.
func Remove(dir string) error { return kind.Remove(dir) }
