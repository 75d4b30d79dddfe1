package faultproxy

import (
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

type mode int

const (
	open mode = iota
	cut
	stalled
	deaf
)

// Proxy forwards connections to one server. Its methods are safe for concurrent use.
type Proxy struct {
	network, target string
	listener        net.Listener

	mu      sync.Mutex
	mode    mode
	changed chan struct{} // closed and replaced with every change of mode
	links   map[*link]struct{}
	ended   bool

	running sync.WaitGroup
}

// New starts a proxy to the server at target, ended with the test. network is "tcp" or
// "unix"; the proxy listens on the same kind of address. A Unix socket keeps its file
// name, in a directory of its own.
func New(t testing.TB, network, target string) *Proxy {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		// Not t.TempDir: the path of a socket has room for 107 bytes.
		dir, err := os.MkdirTemp("", "way")
		if err != nil {
			t.Fatalf("make a directory for the proxy: %v", err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		address = filepath.Join(dir, filepath.Base(target))
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatalf("listen for the proxy: %v", err)
	}
	p := &Proxy{network: network, target: target, listener: listener, changed: make(chan struct{}), links: map[*link]struct{}{}}
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr is where the proxy listens: host:port, or the path of a socket.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut ends all connections and refuses new ones until Heal.
func (p *Proxy) Cut() { p.turn(cut) }

// Stall keeps all bytes of both directions back until Heal, which lets them go on; new
// connections stand but nothing moves.
func (p *Proxy) Stall() { p.turn(stalled) }

// DropAnswers lets the client's bytes through and throws away what the server answers.
// Heal ends the connections of that time, which may have lost something.
func (p *Proxy) DropAnswers() { p.turn(deaf) }

// Heal lets everything pass again.
func (p *Proxy) Heal() { p.turn(open) }

func (p *Proxy) turn(m mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = m
	close(p.changed)
	p.changed = make(chan struct{})
	for l := range p.links {
		l.lossy = l.lossy || m == deaf
		if m == cut || m == open && l.lossy {
			l.close()
		}
	}
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	_ = p.listener.Close()
	p.Cut()
	p.running.Wait()
}

// link is one connection through the proxy. lossy is under the proxy's mutex.
type link struct {
	client, server net.Conn
	lossy          bool
	once           sync.Once
	closed         chan struct{}
}

func (l *link) close() {
	l.once.Do(func() {
		close(l.closed)
		_ = l.client.Close()
		_ = l.server.Close()
	})
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial(p.network, p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{client: client, server: server, closed: make(chan struct{})}
	defer l.close()
	p.mu.Lock()
	if p.mode == cut || p.ended {
		p.mu.Unlock()
		return
	}
	l.lossy = p.mode == deaf
	p.links[l] = struct{}{}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.links, l)
	}()

	var answers sync.WaitGroup
	answers.Go(func() { p.pump(l, server, client, true) })
	p.pump(l, client, server, false)
	answers.Wait()
}

// pump carries one direction until either end closes.
func (p *Proxy) pump(l *link, from, to net.Conn, answers bool) {
	defer l.close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			pass, ok := p.gate(l, answers)
			if !ok {
				return
			}
			if pass {
				if _, err := to.Write(buf[:n]); err != nil {
					return
				}
			}
		}
		if err != nil {
			return
		}
	}
}

// gate waits while the way is stalled. pass is false for bytes to be thrown away, ok is
// false once the connection has ended.
func (p *Proxy) gate(l *link, answers bool) (pass, ok bool) {
	for {
		p.mu.Lock()
		m, changed := p.mode, p.changed
		lossy := l.lossy
		p.mu.Unlock()
		switch {
		case m == stalled:
			select {
			case <-changed:
			case <-l.closed:
				return false, false
			}
		case m == cut, m == open && lossy:
			return false, false
		default:
			return !(m == deaf && answers), true
		}
	}
}
