package httpapi

import (
	"strconv"
	"strings"

	"dozor/internal/errs"
)

// Edits of what several people may have open say which version they saw. Reading gives
// it as ETag; an edit without If-Match is refused (428 if_match_required), and one of
// another version (412 version_mismatch, from the package whose object it is:
// errs.VersionMismatch) is answered with the object as it is now.

var errIfMatchRequired = errs.New(errs.Unconditional, "if_match_required", "Say in If-Match which version you saw: the ETag of the last answer.")

// IfMatch is embedded in the input of every edit.
type IfMatch struct {
	Tag string `header:"If-Match" maxLength:"100" doc:"The ETag of the version that you saw; without it 428"`
}

// Seen is the version that the client saw, for a comparison with the one that is stored.
// A tag that none of ours can be is of version 0, which nothing ever has; "*", which is
// any version, is refused like none.
func (m IfMatch) Seen() (version int64, err error) {
	tag := strings.TrimSpace(m.Tag)
	if tag == "" || tag == "*" {
		return 0, errIfMatchRequired
	}
	// Proxies that compress make tags weak; the version is the same.
	tag = strings.TrimPrefix(tag, "W/")
	digits, opened := strings.CutPrefix(tag, `"`)
	digits, closed := strings.CutSuffix(digits, `"`)
	if number, wrong := strconv.ParseInt(digits, 10, 64); wrong == nil && opened && closed && number >= 1 && strconv.FormatInt(number, 10) == digits {
		version = number
	}
	return version, nil
}

// Versioned is embedded in outputs that say a version: of what is read, made or edited.
type Versioned struct {
	ETag string `header:"ETag" doc:"The version, for If-Match"`
}

// versioned makes the ETag of a version.
func versioned(version int64) Versioned {
	return Versioned{ETag: `"` + strconv.FormatInt(version, 10) + `"`}
}
