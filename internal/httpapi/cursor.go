package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"dozor/internal/errs"
)

var errCursor = errs.New(errs.Invalid, "bad_cursor", "The cursor is not one that this list gave.")

// encodeCursor makes a place in a list an opaque word; no place is the empty word.
func encodeCursor[T any](place *T) string {
	if place == nil {
		return ""
	}
	raw, err := json.Marshal(place)
	if err != nil {
		panic(fmt.Sprintf("encode a cursor: %v", err)) // plain structs can always be encoded
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// decodeCursor reads the word; the empty one is the zero place, where a list begins.
func decodeCursor[T any](word string) (T, error) {
	var place T
	if word == "" {
		return place, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(word)
	if err != nil {
		return place, errCursor
	}
	if err := json.Unmarshal(raw, &place); err != nil {
		return place, errCursor
	}
	return place, nil
}

// Paging is what every list takes. Exported, as all that is embedded in an input: huma
// passes over what is not.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"100" doc:"How many at most"`
	Cursor string `query:"cursor" maxLength:"500" doc:"next_cursor of the page before"`
}
