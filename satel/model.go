package satel

// Model is what a kind of panel can hold. All numbers but zones, outputs and partitions come from product sheets, not
// from the protocol.
type Model struct {
	Code       byte // as CmdPanelVersion gives it
	Name       string
	Zones      int
	Outputs    int
	Partitions int
	Objects    int
	Users      int
	Masters    int
	Expanders  int
	Keypads    int
	LogSize    int // event records kept
}

var models = [...]Model{
	{0, "INTEGRA 24", 24, 20, 4, 1, 16, 1, 32, 4, 439},
	{1, "INTEGRA 32", 32, 32, 16, 4, 64, 4, 32, 4, 899},
	{2, "INTEGRA 64", 64, 64, 32, 8, 192, 8, 64, 8, 6143},
	{3, "INTEGRA 128", 128, 128, 32, 8, 240, 8, 64, 8, 22527},
	{4, "INTEGRA 128-WRL SIM300", 128, 128, 32, 8, 240, 8, 32, 8, 22527},
	{66, "INTEGRA 64 PLUS", 64, 64, 32, 8, 192, 8, 64, 8, 6143},
	{67, "INTEGRA 128 PLUS", 128, 128, 32, 8, 240, 8, 64, 8, 22527},
	{72, "INTEGRA 256 PLUS", 256, 256, 32, 8, 240, 8, 64, 8, 22527},
	{132, "INTEGRA 128-WRL LEON", 128, 128, 32, 8, 240, 8, 32, 8, 22527},
}

// Models returns every model known, by rising code.
func Models() []Model { return append([]Model(nil), models[:]...) }

// ModelByCode returns the model with the given code of CmdPanelVersion. For a code that is not known it returns false
// and a model to work with meanwhile: that code, no name, and the sizes of the INTEGRA 128.
func ModelByCode(code byte) (Model, bool) {
	for _, m := range models {
		if m.Code == code {
			return m, true
		}
	}
	m := models[3]
	m.Code, m.Name = code, ""
	return m, false
}

// ModelFor is ModelByCode for a panel behind a module that has told its version: where the code is not known and the
// module has lists of 32 bytes, the sizes are those of the INTEGRA 256 PLUS. Reading what is not there harms nothing.
func ModelFor(code byte, module ModuleVersion) (Model, bool) {
	m, known := ModelByCode(code)
	if !known && module.Wide {
		largest, _ := ModelByCode(largestCode)
		largest.Code, largest.Name = code, ""
		return largest, false
	}
	return m, known
}

// largestCode is that of the INTEGRA 256 PLUS. One driver takes it to be 68, which is no other panel's.
const largestCode = 72

// ModelByName returns the model of that name, written as in Models.
func ModelByName(name string) (Model, bool) {
	for _, m := range models {
		if m.Name == name {
			return m, true
		}
	}
	return Model{}, false
}

// Wide tells whether the panel has numbers above 128, which need lists of 32 bytes.
func (m Model) Wide() bool { return m.Zones > 128 || m.Outputs > 128 }

// keypadRanges returns the source numbers at which programs on a computer, the cable and the modem begin. Keypads begin
// at 193 on every model.
func (m Model) keypadRanges() (guardX, dloadX, modem int) {
	if m.Keypads <= 4 {
		return 197, 201, 202
	}
	return 201, 209, 210
}

// ClockType returns the coarser code that CmdClock gives for the model: the low four bits of its own.
func (m Model) ClockType() byte { return m.Code & 0x0F }
