package satel

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/encoding/charmap"
)

// codePage is that of Polish and other Central European firmware.
var codePage = charmap.Windows1250

// decodeText returns a padded text of the panel as UTF-8, without its padding. A byte that the code page does not have
// becomes U+FFFD and a control character a blank, since neither databases nor screens want those.
func decodeText(data []byte) string {
	var s strings.Builder
	for _, b := range data {
		r := codePage.DecodeByte(b)
		if unicode.IsControl(r) {
			r = ' '
		}
		s.WriteRune(r)
	}
	return strings.TrimRight(s.String(), " ")
}

// appendText appends a text in the panel's code page, filled with blanks to size bytes.
func appendText(dst []byte, text string, size int) ([]byte, error) {
	n := 0
	for _, r := range text {
		b, ok := codePage.EncodeRune(r)
		if !ok || unicode.IsControl(r) {
			return nil, fmt.Errorf("character %q: %w", r, ErrValue)
		}
		if n++; n > size {
			return nil, fmt.Errorf("text of more than %d characters: %w", size, ErrValue)
		}
		dst = append(dst, b)
	}
	for ; n < size; n++ {
		dst = append(dst, ' ')
	}
	return dst, nil
}
