package webui

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func get(t *testing.T, h http.Handler, method, target string, head map[string]string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for name, value := range head {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(b)
}

func TestIndexIsAskedForEachTimeAndKeptToItsOrigin(t *testing.T) {
	h, err := Handler()
	require.NoError(t, err)
	r := get(t, h, "GET", "/", nil)
	require.Equal(t, http.StatusOK, r.StatusCode)
	require.Equal(t, "no-cache", r.Header.Get("Cache-Control"))
	require.Equal(t, "text/html; charset=utf-8", r.Header.Get("Content-Type"))
	require.Contains(t, r.Header.Get("Content-Security-Policy"), "script-src 'self';")
	require.NotContains(t, r.Header.Get("Content-Security-Policy"), "unsafe")
	require.Equal(t, "nosniff", r.Header.Get("X-Content-Type-Options"))

	again := get(t, h, "GET", "/", map[string]string{"If-None-Match": r.Header.Get("ETag")})
	require.Equal(t, http.StatusNotModified, again.StatusCode)
}

func TestIndexNamesOnlyFilesThatAreThere(t *testing.T) {
	h, err := Handler()
	require.NoError(t, err)
	page := body(t, get(t, h, "GET", "/", nil))
	names := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1)
	require.GreaterOrEqual(t, len(names), 3, "script, style and icon")
	for _, name := range names {
		r := get(t, h, "GET", name[1], nil)
		require.Equal(t, http.StatusOK, r.StatusCode, name[1])
	}
	require.NotRegexp(t, `<script[^>]*>[^<]`, page, "no inline script")
	require.NotContains(t, page, "<style")
}

// What a desk loads before it shows the first alarm: the scripts that the page names, as
// they travel.
func TestTheFirstLoadIsSmall(t *testing.T) {
	const most = 250_000 // bytes
	h, err := Handler()
	require.NoError(t, err)
	page := body(t, get(t, h, "GET", "/", nil))
	total := 0
	for _, script := range regexp.MustCompile(`<script[^>]* src="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		total += len(body(t, get(t, h, "GET", script[1], map[string]string{"Accept-Encoding": "gzip"})))
	}
	t.Logf("%d bytes", total)
	require.Greater(t, total, 1_000)
	require.Less(t, total, most)
}

func TestAssetsAreKeptForEverAndCompressed(t *testing.T) {
	h, err := Handler()
	require.NoError(t, err)
	page := body(t, get(t, h, "GET", "/", nil))
	script := regexp.MustCompile(`src="(/assets/[^"]+\.js)"`).FindStringSubmatch(page)
	require.NotNil(t, script)

	plain := get(t, h, "GET", script[1], nil)
	require.Equal(t, "public, max-age=31536000, immutable", plain.Header.Get("Cache-Control"))
	require.Empty(t, plain.Header.Get("Content-Encoding"))
	want := body(t, plain)

	small := get(t, h, "GET", script[1], map[string]string{"Accept-Encoding": "br, gzip"})
	require.Equal(t, "gzip", small.Header.Get("Content-Encoding"))
	require.Equal(t, "Accept-Encoding", small.Header.Get("Vary"))
	require.NotEqual(t, plain.Header.Get("ETag"), small.Header.Get("ETag"))
	z, err := gzip.NewReader(small.Body)
	require.NoError(t, err)
	got, err := io.ReadAll(z)
	require.NoError(t, err)
	require.Equal(t, want, string(got))

	refused := get(t, h, "GET", script[1], map[string]string{"Accept-Encoding": "gzip;q=0"})
	require.Empty(t, refused.Header.Get("Content-Encoding"))
}

func TestUnknownAddresses(t *testing.T) {
	h, err := Handler()
	require.NoError(t, err)
	for _, c := range []struct {
		method, target string
		status         int
	}{
		{"GET", "/panels/5", http.StatusOK}, // a page of the client
		{"HEAD", "/", http.StatusOK},
		{"GET", "/assets/gone-12345678.js", http.StatusNotFound},
		{"GET", "/assets/gone", http.StatusNotFound},
		{"GET", "/missing.png", http.StatusNotFound},
		{"GET", "/api/none", http.StatusNotFound},
		{"GET", "/api", http.StatusNotFound},
		{"POST", "/", http.StatusMethodNotAllowed},
	} {
		r := get(t, h, c.method, c.target, nil)
		require.Equal(t, c.status, r.StatusCode, "%s %s", c.method, c.target)
	}
	require.Equal(t, body(t, get(t, h, "GET", "/", nil)), body(t, get(t, h, "GET", "/panels/5", nil)))
}

func TestDirIsReadAnewAndNeverLeft(t *testing.T) {
	outer := t.TempDir()
	dir := filepath.Join(outer, "client")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "assets"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(outer, "secret.txt"), []byte("secret"), 0o600))
	require.NoError(t, os.Symlink(filepath.Join(outer, "secret.txt"), filepath.Join(dir, "link.txt")))

	_, err := Dir(dir)
	require.ErrorContains(t, err, "index.html")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "index.html"), []byte("one"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "assets", "a.js"), []byte("1"), 0o600))
	h, err := Dir(dir)
	require.NoError(t, err)
	require.Equal(t, "one", body(t, get(t, h, "GET", "/", nil)))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "index.html"), []byte("two"), 0o600))
	require.Equal(t, "two", body(t, get(t, h, "GET", "/", nil)))
	require.Equal(t, "no-cache", get(t, h, "GET", "/assets/a.js", nil).Header.Get("Cache-Control"))

	require.NotContains(t, body(t, get(t, h, "GET", "/../secret.txt", nil)), "secret")
	link := get(t, h, "GET", "/link.txt", nil)
	require.NotEqual(t, http.StatusOK, link.StatusCode)
}
