package satel

import "errors"

// Errors that the parsers and builders wrap. None carries a user code.
var (
	// ErrLength means that an answer does not have the length that its kind demands.
	ErrLength = errors.New("unexpected length")
	// ErrValue means that a field holds something it cannot hold.
	ErrValue = errors.New("value out of range")
	// ErrUserCode means that a user code or prefix is not made of the right number of digits.
	ErrUserCode = errors.New("user code must have 4 to 8 digits and fit with its prefix")
)
