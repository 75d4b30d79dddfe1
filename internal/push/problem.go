package push

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"

	"dozor/internal/errs"
)

// problem is the body of a refusal, RFC 9457.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
}

func refuse(w http.ResponseWriter, status int, err *errs.Error) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// Nobody is left to tell when this fails.
	_ = json.NewEncoder(w).Encode(problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: err.Message, Code: err.Code})
}

// hijacked keeps the connection beneath the WebSocket, whose deadline is the only thing
// that ends a farewell to a client that does not listen.
type hijacked struct {
	http.ResponseWriter
	conn net.Conn
}

// Hijack implements http.Hijacker.
func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn = conn
	boundBuffer(conn)
	if buffers.Reader.Buffered() == 0 {
		buffers = bufio.NewReadWriter(bufio.NewReaderSize(conn, readSize), bufio.NewWriterSize(conn, controlSize))
	}
	return conn, buffers, nil
}

const (
	// readSize is for what clients say, which is short and seldom, in bytes; the server's
	// own buffers have 4 KiB each way, for as long as a connection lives.
	readSize = 512
	// controlSize is for the longest control frame, which must go out by one write.
	controlSize = 2 + 125
)

// writeBuffer is how much the kernel keeps for a client that does not read, in bytes.
// Its own choice may be megabytes: too much for a thousand clients, and too late a sign
// that one is slow.
const writeBuffer = 256 << 10

func boundBuffer(conn net.Conn) {
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = wrapped.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		// A hint: where it is refused the kernel's choice stands.
		_ = tcp.SetWriteBuffer(writeBuffer)
	}
}
