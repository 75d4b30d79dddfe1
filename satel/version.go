package satel

import "fmt"

// Firmware is a firmware's number and date as modules and panels give them.
type Firmware struct {
	Version string // as "1.23"
	Date    string // as "2012-05-27"
}

// firmwareSize is the length of the ASCII form: version without its point, then the date.
const firmwareSize = 11

func parseFirmware(data []byte) (Firmware, error) {
	for _, c := range data[:firmwareSize] {
		if c < '0' || c > '9' {
			return Firmware{}, fmt.Errorf("firmware version: %w", ErrValue)
		}
	}
	s := string(data[:firmwareSize])
	return Firmware{Version: s[:1] + "." + s[1:3], Date: s[3:7] + "-" + s[7:9] + "-" + s[9:]}, nil
}

func appendFirmware(dst []byte, f Firmware) ([]byte, error) {
	digits := make([]byte, 0, firmwareSize)
	for i, c := range []byte(f.Version + f.Date) {
		switch {
		case i == 1 && c == '.', (i == 8 || i == 11) && c == '-':
		case c >= '0' && c <= '9':
			digits = append(digits, c)
		default:
			return nil, fmt.Errorf("firmware %q of %q: %w", f.Version, f.Date, ErrValue)
		}
	}
	if len(f.Version) != 4 || len(f.Date) != 10 || len(digits) != firmwareSize {
		return nil, fmt.Errorf("firmware %q of %q: %w", f.Version, f.Date, ErrValue)
	}
	return append(dst, digits...), nil
}

// Language is the language of a panel's firmware.
type Language byte

// Languages. Only English is in the maker's description; drivers that run against real panels have the others.
const (
	LanguagePolish    Language = 0
	LanguageEnglish   Language = 1
	LanguageUkrainian Language = 2
	LanguageRussian   Language = 3
	LanguageGerman    Language = 4
	LanguageSlovak    Language = 5
	LanguageItalian   Language = 6
	LanguageCzech     Language = 7
	LanguageHungarian Language = 8
	LanguageDutch     Language = 9
)

var languageTags = [...]string{"pl", "en", "uk", "ru", "de", "sk", "it", "cs", "hu", "nl"}

// String returns the language's tag after BCP 47, "und" for one that is not known.
func (l Language) String() string {
	if int(l) < len(languageTags) {
		return languageTags[l]
	}
	return "und"
}

// PanelVersion is what a panel says of itself.
type PanelVersion struct {
	Type            byte // see ModelByCode
	Firmware        Firmware
	Language        Language
	SettingsInFlash bool
}

const (
	panelVersionSize = 14
	settingsInFlash  = 0xFF
)

// ParsePanelVersion reads the data of an answer to CmdPanelVersion.
func ParsePanelVersion(data []byte) (PanelVersion, error) {
	if len(data) != panelVersionSize {
		return PanelVersion{}, fmt.Errorf("panel version: %w: %d bytes", ErrLength, len(data))
	}
	f, err := parseFirmware(data[1:])
	if err != nil {
		return PanelVersion{}, fmt.Errorf("panel version: %w", err)
	}
	return PanelVersion{data[0], f, Language(data[12]), data[13] == settingsInFlash}, nil
}

// AppendPanelVersion appends the data of an answer to CmdPanelVersion.
func AppendPanelVersion(dst []byte, v PanelVersion) ([]byte, error) {
	dst, err := appendFirmware(append(dst, v.Type), v.Firmware)
	if err != nil {
		return nil, fmt.Errorf("panel version: %w", err)
	}
	flash := byte(0)
	if v.SettingsInFlash {
		flash = settingsInFlash
	}
	return append(dst, byte(v.Language), flash), nil
}

// ModuleVersion is what a network module says of itself.
type ModuleVersion struct {
	Firmware    Firmware
	Wide        bool // lists of 32 bytes
	Troubles8   bool // CmdTroubles8 and its memory, and the longest form of CmdNewData
	ArmNoBypass bool // arming with the extra byte that refuses bypass and delay
}

const (
	moduleVersionSize = 12
	capWide           = 0x01
	capTroubles8      = 0x02
	capArmNoBypass    = 0x04
)

// ParseModuleVersion reads the data of an answer to CmdModuleVersion.
func ParseModuleVersion(data []byte) (ModuleVersion, error) {
	if len(data) != moduleVersionSize {
		return ModuleVersion{}, fmt.Errorf("module version: %w: %d bytes", ErrLength, len(data))
	}
	f, err := parseFirmware(data)
	if err != nil {
		return ModuleVersion{}, fmt.Errorf("module version: %w", err)
	}
	caps := data[firmwareSize]
	return ModuleVersion{f, caps&capWide != 0, caps&capTroubles8 != 0, caps&capArmNoBypass != 0}, nil
}

// AppendModuleVersion appends the data of an answer to CmdModuleVersion.
func AppendModuleVersion(dst []byte, v ModuleVersion) ([]byte, error) {
	dst, err := appendFirmware(dst, v.Firmware)
	if err != nil {
		return nil, fmt.Errorf("module version: %w", err)
	}
	caps := byte(0)
	if v.Wide {
		caps |= capWide
	}
	if v.Troubles8 {
		caps |= capTroubles8
	}
	if v.ArmNoBypass {
		caps |= capArmNoBypass
	}
	return append(dst, caps), nil
}
