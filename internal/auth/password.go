package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"

	"dozor/internal/errs"
)

// Params are the costs of a password hash.
type Params struct {
	MemoryKiB uint32
	Passes    uint32
	Threads   uint8
}

// DefaultParams are those that RFC 9106 recommends where memory is not plentiful.
func DefaultParams() Params { return Params{MemoryKiB: 64 * 1024, Passes: 3, Threads: 4} }

const (
	passwordSaltSize = 16
	passwordHashSize = 32
	// Bounds on what a stored hash may ask for, so that a damaged row can't take the
	// machine's memory.
	maxMemoryKiB = 1024 * 1024
	maxPasses    = 64
	// hashWait is how long a sign-in waits for its turn to hash.
	hashWait = 10 * time.Second
)

// Bounds of a password's length in bytes.
const (
	MinPassword = 8
	MaxPassword = 256
)

// hasher computes few hashes at a time: each takes Params.MemoryKiB.
type hasher struct {
	params Params
	turns  *semaphore.Weighted
	decoy  string // the hash of nothing that anybody knows
}

func newHasher(p Params) *hasher {
	h := &hasher{params: p, turns: semaphore.NewWeighted(int64(max(1, runtime.GOMAXPROCS(0))))}
	h.decoy = encode(p, random(passwordSaltSize), random(passwordHashSize))
	return h
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: the program ends before
	return b
}

// hash returns the PHC form of a password's hash.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := random(passwordSaltSize)
	sum, err := h.compute(ctx, h.params, password, salt, passwordHashSize)
	if err != nil {
		return "", err
	}
	return encode(h.params, salt, sum), nil
}

// verify reports whether a password belongs to a hash, and whether the hash should be
// made again with the parameters of today. For an unknown login stored is empty: the
// same work is done and the answer is no.
func (h *hasher) verify(ctx context.Context, stored, password string) (ok, stale bool, err error) {
	known := stored != ""
	if !known {
		stored = h.decoy
	}
	p, salt, want, err := decode(stored)
	if err != nil {
		return false, false, fmt.Errorf("read a stored password hash: %w", err)
	}
	got, err := h.compute(ctx, p, password, salt, len(want))
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(got, want) == 1 && known
	return ok, p != h.params || len(want) != passwordHashSize, nil
}

var errBusy = errs.New(errs.Unavailable, "busy", "Too many people sign in at this moment. Try again.")

func (h *hasher) compute(ctx context.Context, p Params, password string, salt []byte, size int) ([]byte, error) {
	waiting, cancel := context.WithTimeout(ctx, hashWait)
	defer cancel()
	if err := h.turns.Acquire(waiting, 1); err != nil {
		return nil, errBusy.Because(err)
	}
	defer h.turns.Release(1)
	return argon2.IDKey([]byte(password), salt, p.Passes, p.MemoryKiB, p.Threads, uint32(size)), nil
}

func encode(p Params, salt, sum []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.MemoryKiB, p.Passes, p.Threads, b64.EncodeToString(salt), b64.EncodeToString(sum))
}

var errHashForm = errors.New("it is not argon2id in PHC form")

func decode(phc string) (p Params, salt, sum []byte, err error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, errHashForm
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.MemoryKiB, &p.Passes, &p.Threads); err != nil {
		return p, nil, nil, errHashForm
	}
	if p.MemoryKiB < 8 || p.MemoryKiB > maxMemoryKiB || p.Passes < 1 || p.Passes > maxPasses || p.Threads < 1 {
		return p, nil, nil, errHashForm
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	sum, sumErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || sumErr != nil || len(salt) < 8 || len(sum) < 16 || len(sum) > 128 {
		return p, nil, nil, errHashForm
	}
	return p, salt, sum, nil
}
