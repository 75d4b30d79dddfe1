package secret

import (
	"bufio"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fernet/fernet-go"
)

// Keyring seals and opens secrets. It is safe for use by many goroutines.
type Keyring struct {
	keys []*fernet.Key // the first seals, all open
}

// GenerateKey makes a new key as a line for a key file.
func GenerateKey() string {
	var k fernet.Key
	if err := k.Generate(); err != nil {
		// crypto/rand ends the program itself before it returns an error.
		panic(fmt.Sprintf("generate a key: %v", err))
	}
	return k.Encode()
}

// mountedSecrets is where containers get their secrets: read only for everybody in a
// container that has no other users.
const mountedSecrets = "/run/secrets/"

// LoadKeyring reads a key file: one key a line, empty lines and lines beginning with #
// do not count. A file that other users may read or change is refused.
func LoadKeyring(path string) (*Keyring, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("load the keyring: there is no file %s; make one with `dozor key init`", path)
	case err != nil:
		return nil, fmt.Errorf("load the keyring: %w", err)
	case info.IsDir():
		return nil, fmt.Errorf("load the keyring: %s is a directory, want a file with keys", path)
	case info.Mode().Perm()&0o002 != 0:
		return nil, fmt.Errorf("load the keyring: everybody may change %s (mode %#o); chmod 600 it", path, info.Mode().Perm())
	case info.Mode().Perm()&0o004 != 0 && !strings.HasPrefix(filepath.Clean(path), mountedSecrets):
		return nil, fmt.Errorf("load the keyring: everybody may read %s (mode %#o); chmod 600 it", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load the keyring: %w", err)
	}
	k, err := ParseKeyring(string(text))
	if err != nil {
		return nil, fmt.Errorf("load the keyring %s: %w", path, err)
	}
	return k, nil
}

// ParseKeyring reads the text of a key file.
func ParseKeyring(text string) (*Keyring, error) {
	ring := &Keyring{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, err := fernet.DecodeKey(line)
		if err != nil {
			// The decoder's error may quote a part of the key.
			return nil, fmt.Errorf("line %d is not a key: want 32 bytes in base64", n)
		}
		ring.keys = append(ring.keys, key)
	}
	if err := lines.Err(); err != nil {
		return nil, errors.New("a line is too long to be a key")
	}
	if len(ring.keys) == 0 {
		return nil, errors.New("there is no key in it")
	}
	return ring, nil
}

// Seal encrypts a secret with the first key.
func (k *Keyring) Seal(plain []byte) []byte {
	token, err := fernet.EncryptAndSign(plain, k.keys[0])
	if err != nil {
		panic(fmt.Sprintf("seal: %v", err)) // the random source is gone, as in GenerateKey
	}
	return token
}

// ErrNotOurs says that no key of the ring opens a sealed value: it was sealed with a
// key that is missing here, or it was changed.
var ErrNotOurs = errors.New("no key of the keyring opens the sealed value")

// Open decrypts what any key of the ring has sealed, however long ago.
func (k *Keyring) Open(sealed []byte) ([]byte, error) {
	// Secrets at rest do not age: a time to live of 0 means no expiry.
	plain := fernet.VerifyAndDecrypt(sealed, 0, k.keys)
	if plain == nil {
		return nil, ErrNotOurs
	}
	return plain, nil
}

// Reseal seals a value again with the first key, for rotation. changed is false where
// the first key sealed it already.
func (k *Keyring) Reseal(sealed []byte) (fresh []byte, changed bool, err error) {
	if fernet.VerifyAndDecrypt(sealed, 0, k.keys[:1]) != nil {
		return sealed, false, nil
	}
	plain, err := k.Open(sealed)
	if err != nil {
		return nil, false, err
	}
	return k.Seal(plain), true, nil
}

// Derived is a key for another purpose, made from one key of a ring. ID tells from
// which, so that it can be found again after a rotation.
type Derived struct {
	ID  string
	Key []byte
}

// Derive makes a key of 32 bytes for a purpose from the first key of the ring.
func (k *Keyring) Derive(purpose string) Derived {
	return derive(k.keys[0], purpose)
}

// DeriveAll does so from each key of the ring, the first one first.
func (k *Keyring) DeriveAll(purpose string) []Derived {
	all := make([]Derived, 0, len(k.keys))
	for _, key := range k.keys {
		all = append(all, derive(key, purpose))
	}
	return all
}

func derive(key *fernet.Key, purpose string) Derived {
	d, err := hkdf.Key(sha256.New, key[:], nil, "dozor/"+purpose, 32)
	if err != nil {
		panic(fmt.Sprintf("derive a key: %v", err)) // only an impossible length ends here
	}
	id := sha256.Sum256(append([]byte("dozor/id/"+purpose+"/"), d...))
	return Derived{ID: hex.EncodeToString(id[:4]), Key: d}
}
