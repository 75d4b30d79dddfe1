package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dozor/internal/secret"
)

// The vector of the published Fernet specification (verify.json).
const (
	specKey   = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="
	specToken = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=="
)

func ring(t *testing.T, keys ...string) *secret.Keyring {
	t.Helper()
	k, err := secret.ParseKeyring(strings.Join(keys, "\n"))
	require.NoError(t, err)
	return k
}

func TestOpensThePublishedVectorHoweverOld(t *testing.T) {
	t.Parallel()
	plain, err := ring(t, specKey).Open([]byte(specToken))
	require.NoError(t, err)
	require.Equal(t, "hello", string(plain))
}

func TestSealsSoThatOnlyTheRingOpens(t *testing.T) {
	t.Parallel()
	k := ring(t, secret.GenerateKey())
	for _, plain := range []string{"", "1234", strings.Repeat("x", 4096)} {
		sealed := k.Seal([]byte(plain))
		require.NotContains(t, string(sealed), "1234")
		got, err := k.Open(sealed)
		require.NoError(t, err)
		require.Equal(t, plain, string(got))
		require.NotEqual(t, sealed, k.Seal([]byte(plain)), "each sealing has a nonce of its own")

		broken := bytes.Clone(sealed)
		broken[len(broken)/2] ^= 1
		for _, bad := range [][]byte{broken, sealed[:20], nil, []byte("gAAA"), sealed[:len(sealed)-4]} {
			_, err := k.Open(bad)
			require.ErrorIs(t, err, secret.ErrNotOurs)
		}
		_, err = ring(t, secret.GenerateKey()).Open(sealed)
		require.ErrorIs(t, err, secret.ErrNotOurs)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	oldKey, newKey := secret.GenerateKey(), secret.GenerateKey()
	before := ring(t, oldKey)
	sealed := before.Seal([]byte("1234"))
	signed := before.Derive("audit")

	both := ring(t, newKey, oldKey)
	plain, err := both.Open(sealed)
	require.NoError(t, err, "the old key still opens")
	require.Equal(t, "1234", string(plain))
	_, err = before.Open(both.Seal([]byte("5678")))
	require.ErrorIs(t, err, secret.ErrNotOurs, "the new key seals")
	require.Contains(t, both.DeriveAll("audit"), signed, "what was derived before is found again")
	require.NotEqual(t, signed, both.Derive("audit"))

	fresh, changed, err := both.Reseal(sealed)
	require.NoError(t, err)
	require.True(t, changed)
	plain, err = ring(t, newKey).Open(fresh)
	require.NoError(t, err, "the old key can go")
	require.Equal(t, "1234", string(plain))
	_, changed, err = both.Reseal(fresh)
	require.NoError(t, err)
	require.False(t, changed)
}

func TestDerivedKeysDifferByPurposeAndAreNotTheKey(t *testing.T) {
	t.Parallel()
	k := ring(t, specKey)
	require.NotEqual(t, k.Derive("a"), k.Derive("b"))
	require.Equal(t, k.Derive("a"), ring(t, specKey).Derive("a"), "the same in every process")
	require.Len(t, k.Derive("a").Key, 32)
}

func TestKeyFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	good := "# made on a Tuesday\n\n" + specKey + "\n" + secret.GenerateKey() + "\n"
	for _, mode := range []os.FileMode{0o600, 0o400, 0o640} {
		k, err := secret.LoadKeyring(write(fmt.Sprint("good", mode), good, mode))
		require.NoError(t, err)
		_, err = k.Open([]byte(specToken))
		require.NoError(t, err)
	}
	for name, c := range map[string]struct {
		path string
		want string
	}{
		"missing":        {filepath.Join(dir, "nothing"), "there is no file"},
		"directory":      {dir, "is a directory"},
		"world readable": {write("read", good, 0o644), "everybody may read"},
		"world writable": {write("written", good, 0o602), "everybody may change"},
		"empty":          {write("empty", "# nothing\n", 0o600), "there is no key in it"},
		"bad key":        {write("bad", specKey+"\nsecretsecret", 0o600), "line 2 is not a key"},
		"short key":      {write("short", "aGVsbG8=", 0o600), "line 1 is not a key"},
		"endless line":   {write("long", strings.Repeat("secret", 100_000), 0o600), "too long"},
	} {
		_, err := secret.LoadKeyring(c.path)
		require.ErrorContains(t, err, c.want, name)
		require.NotContains(t, err.Error(), "secret", name)
	}
}

func TestRedactedShowsItselfNowhere(t *testing.T) {
	t.Parallel()
	r := secret.Redacted("hunter2")
	type holder struct {
		Password secret.Redacted
		Pointer  *secret.Redacted
	}
	h := holder{r, &r}
	var logged bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&logged, nil))
	log.Info("x", "password", r, "holder", h)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "password", r, "holder", h)
	encoded, err := json.Marshal(map[string]any{"a": r, "b": h})
	require.NoError(t, err)
	for _, s := range []string{
		fmt.Sprint(r), fmt.Sprintf("%s %v %+v %#v %q %x %d", r, r, r, r, r, r, r), fmt.Sprintf("%v %+v %#v", h, h, h.Password),
		logged.String(), string(encoded),
	} {
		require.NotContains(t, s, "hunter2")
		require.NotContains(t, s, "68756e74657232") // the same in hexadecimal
		require.Contains(t, s, "[redacted]")
	}
	require.Equal(t, "hunter2", r.Reveal())

	var back holder
	require.NoError(t, json.Unmarshal([]byte(`{"Password":"p4ss"}`), &back))
	require.Equal(t, "p4ss", back.Password.Reveal())
	require.Error(t, json.Unmarshal([]byte(`{"Password":4}`), &back))
}
