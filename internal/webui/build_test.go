package webui

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// inputs is what the build of the client is made from; the same list stands in
// web/scripts/stamp.mjs.
var inputs = []string{"index.html", "package-lock.json", "package.json", "public", "scripts", "src", "tsconfig.json", "vite.config.ts", "worker"}

// The commit that changes the client's sources carries its build.
func TestTheEmbeddedClientIsTheBuildOfItsSources(t *testing.T) {
	var stamp struct {
		Sources string            `json:"sources"`
		Files   map[string]string `json:"files"`
	}
	dist, err := fs.Sub(embedded, "dist")
	require.NoError(t, err)
	text, err := fs.ReadFile(dist, "BUILD.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &stamp))

	web := filepath.Join("..", "..", "web")
	var paths []string
	for _, input := range inputs {
		require.NoError(t, filepath.WalkDir(filepath.Join(web, input), func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			name, err = filepath.Rel(web, name)
			paths = append(paths, filepath.ToSlash(name))
			return err
		}))
	}
	slices.Sort(paths)
	sources := sha256.New()
	for _, path := range paths {
		data, err := os.ReadFile(filepath.Join(web, filepath.FromSlash(path)))
		require.NoError(t, err)
		_, err = fmt.Fprintf(sources, "%x  %s\n", sha256.Sum256(data), path)
		require.NoError(t, err)
	}
	require.Equal(t, hex.EncodeToString(sources.Sum(nil)), stamp.Sources,
		"web/ was changed without its build: npm ci && npm run build in web/, and commit internal/webui/dist with it")

	files := map[string]string{}
	require.NoError(t, fs.WalkDir(dist, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || name == "BUILD.json" {
			return err
		}
		data, err := fs.ReadFile(dist, name)
		files[name] = fmt.Sprintf("%x", sha256.Sum256(data))
		return err
	}))
	require.Equal(t, stamp.Files, files, "a built file was changed by hand")
}
