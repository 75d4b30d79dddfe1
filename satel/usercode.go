package satel

import "fmt"

// UserCodeSize is the length of a user code in control commands.
const UserCodeSize = 8

const (
	minCodeDigits = 4
	maxCodeDigits = 8
	noDigit       = 0x0F
)

// EncodeUserCode returns a user code as commands carry it: the digits of the prefix, if the panel demands one, then
// those of the code, two to a byte, filled up to size bytes, which is 4 or 8. Errors wrap ErrUserCode and never quote
// what was given.
func EncodeUserCode(code, prefix string, size int) ([]byte, error) {
	if size != 4 && size != UserCodeSize {
		return nil, fmt.Errorf("user code in %d bytes: %w", size, ErrLength)
	}
	n := len(prefix) + len(code)
	if len(code) < minCodeDigits || len(code) > maxCodeDigits || n > 2*size {
		return nil, ErrUserCode
	}
	out := make([]byte, size)
	for i := range 2 * size {
		digit := byte(noDigit)
		if i < n {
			var c byte
			if i < len(prefix) {
				c = prefix[i]
			} else {
				c = code[i-len(prefix)]
			}
			if c < '0' || c > '9' {
				return nil, ErrUserCode
			}
			digit = c - '0'
		}
		out[i/2] = out[i/2]<<4 | digit
	}
	return out, nil
}

// DecodeUserCode returns the digits that a command carries as its user code: prefix and code in one, since nothing
// separates them. The data are 4 or 8 bytes. Errors wrap ErrUserCode and never quote what was given.
func DecodeUserCode(data []byte) (string, error) {
	if len(data) != 4 && len(data) != UserCodeSize {
		return "", fmt.Errorf("user code in %d bytes: %w", len(data), ErrLength)
	}
	digits := make([]byte, 0, 2*UserCodeSize)
	filled := false
	for i := range 2 * len(data) {
		d := data[i/2] >> 4
		if i%2 == 1 {
			d = data[i/2] & 0x0F
		}
		switch {
		case d == noDigit:
			filled = true
		case d > 9 || filled:
			return "", ErrUserCode
		default:
			digits = append(digits, '0'+d)
		}
	}
	if len(digits) < minCodeDigits {
		return "", ErrUserCode
	}
	return string(digits), nil
}
