package site

import (
	"regexp"
	"strings"

	"dozor/internal/errs"
	"dozor/internal/secret"
)

// Phone is a telephone number of a contact, as it is given and as Reveal returns it.
type Phone struct {
	Label  string          // "komórka", "dom"
	Number secret.Redacted // as it was written
}

// MaskedPhone is a number as lists show it.
type MaskedPhone struct {
	ID     int64  `json:"id"`
	Label  string `json:"label"`
	Masked string `json:"masked" doc:"Enough to tell numbers apart, not to call them"`
}

const (
	maxPhones   = 10
	minDigits   = 3
	maxDigits   = 15 // what a telephone number can have in the whole world
	shownFront  = 3
	shownBack   = 2
	hiddenLeast = 3
)

// numberForm takes what people write: an optional plus, digits, and what they put between.
var numberForm = regexp.MustCompile(`^\+?[0-9][0-9 ()./-]*$`)

func (p *Phone) check() error {
	number := p.Number.Reveal()
	texts := []text{
		{what: "A phone's label", value: &p.Label, max: maxWord},
		{what: "A phone number", value: &number, max: 40, must: true},
	}
	if err := tidy("invalid_contact", texts...); err != nil {
		return err
	}
	if n := len(digitsOf(number)); !numberForm.MatchString(number) || n < minDigits || n > maxDigits {
		return errs.New(errs.Invalid, "invalid_contact", "A phone number has 3 to 15 digits, with a plus in front where it is international.")
	}
	p.Number = secret.Redacted(number)
	return nil
}

func digitsOf(number string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
}

// mask shows the first digits and the last ones, in threes as people say them: "601 ••• •18".
// Of a short number it shows less: three digits stay hidden, whatever it is.
func mask(number string) string {
	digits := []rune(digitsOf(number))
	prefix := ""
	if strings.HasPrefix(number, "+48") {
		prefix, digits = "+48 ", digits[2:]
	} else if strings.HasPrefix(number, "+") {
		prefix = "+"
	}
	back := min(shownBack, max(0, len(digits)-hiddenLeast))
	front := min(shownFront, max(0, len(digits)-back-hiddenLeast))
	var b strings.Builder
	b.WriteString(prefix)
	for i, d := range digits {
		if i > 0 && i%3 == 0 {
			b.WriteByte(' ')
		}
		if i >= front && i < len(digits)-back {
			d = '•'
		}
		b.WriteRune(d)
	}
	return b.String()
}
