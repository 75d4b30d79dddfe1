package satel

import "errors"

// Errors that the parsers and builders wrap. None carries a user code or a key.
var (
	// ErrLength means that an answer does not have the length that its kind demands.
	ErrLength = errors.New("unexpected length")
	// ErrValue means that a field holds something it cannot hold.
	ErrValue = errors.New("value out of range")
	// ErrUserCode means that a user code or prefix is not made of the right number of digits.
	ErrUserCode = errors.New("user code must have 4 to 8 digits and fit with its prefix")
	// ErrKey means that an integration key has characters that a module cannot have.
	ErrKey = errors.New("integration key must be of printable ASCII characters")
	// ErrMessage means that an encrypted message holds no frame under the key it was read with.
	ErrMessage = errors.New("encrypted message holds no frame: the other side has another key")
)
