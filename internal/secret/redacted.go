package secret

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// mask is what every way of printing a Redacted gives.
const mask = "[redacted]"

// Redacted is a string that does not show itself in logs, JSON and formatted output.
// Reveal is the one way to its value. Not to be used as the key of a map: encoding/json
// writes keys of a string kind as they are.
type Redacted string

// Reveal returns the value.
func (r Redacted) Reveal() string { return string(r) }

func (r Redacted) String() string { return mask }

// GoString keeps %#v quiet too.
func (r Redacted) GoString() string { return mask }

// Format keeps every verb quiet, %x and %q included.
func (r Redacted) Format(f fmt.State, _ rune) { fmt.Fprint(f, mask) }

// LogValue keeps it out of logs.
func (r Redacted) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalJSON keeps it out of answers and messages.
func (r Redacted) MarshalJSON() ([]byte, error) { return json.Marshal(mask) }

// MarshalText keeps it out of everything else that encodes.
func (r Redacted) MarshalText() ([]byte, error) { return []byte(mask), nil }

// UnmarshalJSON reads the value itself: secrets come in by JSON, they do not go out.
func (r *Redacted) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("a secret must be a JSON string")
	}
	*r = Redacted(s)
	return nil
}

// UnmarshalText reads the value itself.
func (r *Redacted) UnmarshalText(text []byte) error {
	*r = Redacted(text)
	return nil
}
