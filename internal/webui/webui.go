package webui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"strings"
	"time"
)

//go:embed all:dist
var embedded embed.FS

const (
	// policy keeps the client to this origin. Inline scripts and styles are refused.
	policy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; " +
		"connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	// forever is for names that carry a hash of what is in them.
	forever = "public, max-age=31536000, immutable"
	// askAgain lets a browser keep a copy that it may use only after asking.
	askAgain = "no-cache"
	index    = "index.html"
)

// Handler serves the embedded client. It is safe for use by many goroutines.
func Handler() (http.Handler, error) {
	dist, err := fs.Sub(embedded, "dist")
	if err != nil {
		return nil, fmt.Errorf("open the embedded client: %w", err)
	}
	files := map[string]*file{}
	err = fs.WalkDir(dist, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(dist, name)
		if err != nil {
			return err
		}
		files[name], err = newFile(name, body, true)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the embedded client: %w", err)
	}
	if files[index] == nil {
		return nil, errors.New("the embedded client has no index.html: build it with npm run build in web/")
	}
	return &handler{find: func(name string) (*file, error) {
		if f := files[name]; f != nil {
			return f, nil
		}
		return nil, fs.ErrNotExist
	}}, nil
}

// Dir serves a client built into a directory, which is read anew for each request. The
// directory must hold an index.html; nothing outside of it is ever served.
func Dir(dir string) (http.Handler, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the directory of the client: %w", err)
	}
	find := func(name string) (*file, error) {
		body, err := fs.ReadFile(root.FS(), name)
		if err != nil {
			return nil, err
		}
		return newFile(name, body, false)
	}
	if _, err := find(index); err != nil {
		return nil, errors.Join(fmt.Errorf("read the client in %s: %w", dir, err), root.Close())
	}
	return &handler{find: find}, nil
}

type file struct {
	kind    string
	cache   string
	etag    string
	body    []byte
	gzipped []byte // nil when it would not be smaller, or is not worth it
}

func newFile(name string, body []byte, squeeze bool) (*file, error) {
	sum := sha256.Sum256(body)
	f := &file{kind: kindOf(name), cache: askAgain, etag: `"` + hex.EncodeToString(sum[:12]) + `"`, body: body}
	if squeeze && strings.HasPrefix(name, "assets/") {
		f.cache = forever
	}
	if !squeeze || !compressible(f.kind) {
		return f, nil
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if b.Len() < len(body) {
		f.gzipped = b.Bytes()
	}
	return f, nil
}

// kindOf names the types that the client has, since a host's own table may differ.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json":
		return "application/json"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

func compressible(kind string) bool {
	return strings.HasPrefix(kind, "text/") || kind == "application/json" || kind == "image/svg+xml"
}

type handler struct {
	find func(name string) (*file, error)
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api" || strings.HasPrefix(r.URL.Path, "/api/") {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	f, err := h.lookup(r.URL.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		http.NotFound(w, r)
		return
	case err != nil:
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}

	head := w.Header()
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Content-Type", f.kind)
	head.Set("Cache-Control", f.cache)
	body, etag := f.body, f.etag
	if f.gzipped != nil {
		head.Set("Vary", "Accept-Encoding")
		// A range is of the plain bytes.
		if r.Header.Get("Range") == "" && acceptsGzip(r.Header.Get("Accept-Encoding")) {
			head.Set("Content-Encoding", "gzip")
			body, etag = f.gzipped, strings.TrimSuffix(f.etag, `"`)+`-gz"`
		}
	}
	head.Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(bytes.NewReader(body), 0, int64(len(body))))
}

// lookup finds the file of an address. A page of the client that has no file of its own
// is index.html; an asset that is gone stays gone.
func (h *handler) lookup(address string) (*file, error) {
	name := strings.TrimPrefix(path.Clean("/"+address), "/")
	if name == "" {
		return h.find(index)
	}
	if !fs.ValidPath(name) {
		return nil, fs.ErrNotExist
	}
	f, err := h.find(name)
	if err == nil {
		return f, nil
	}
	if path.Ext(name) == "" && !strings.HasPrefix(name, "assets/") {
		return h.find(index)
	}
	return nil, err
}

func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding == "gzip" && strings.ReplaceAll(strings.TrimSpace(quality), " ", "") != "q=0" {
			return true
		}
	}
	return false
}

// Stylesheet is the path of the embedded client's main stylesheet, for pages beside the
// client that should look like it.
func Stylesheet() (string, error) {
	found, err := fs.Glob(embedded, "dist/assets/index-*.css")
	if err != nil {
		return "", fmt.Errorf("find the client's stylesheet: %w", err)
	}
	if len(found) != 1 {
		return "", fmt.Errorf("find the client's stylesheet: there are %d", len(found))
	}
	return strings.TrimPrefix(found[0], "dist"), nil
}
