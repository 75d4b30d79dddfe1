package sim

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dozor/satel"
)

// send calls the control API with a body and returns status and answer.
func (a *api) send(method, path, body string) (int, string) {
	a.t.Helper()
	request, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	require.NoError(a.t, err)
	response, err := a.client.Do(request)
	require.NoError(a.t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(a.t, err)
	require.NoError(a.t, response.Body.Close())
	return response.StatusCode, string(text)
}

func (a *api) must(method, path, body string) {
	a.t.Helper()
	status, text := a.send(method, path, body)
	require.Equal(a.t, http.StatusOK, status, text)
}

// about asks as a user of the panel.
func (b *bench) about(cmd satel.Command, code string, more ...byte) satel.Frame {
	b.t.Helper()
	head, err := satel.EncodeUserCode(code, "", satel.UserCodeSize)
	require.NoError(b.t, err)
	return b.ask(cmd, append(head, more...)...)
}

func (b *bench) nameOf(kind satel.ObjectType, number int) satel.ObjectName {
	b.t.Helper()
	name, err := satel.ParseObjectName(b.ask(satel.CmdObjectName, satel.AppendNameRequest(nil, kind, number)...).Data)
	require.NoError(b.t, err)
	return name
}

func TestUsersComeChangeAndGo(t *testing.T) {
	b := setup(t)
	a := newAPI(t, serve(t, b.Panel))
	a.must(http.MethodPut, "/panels/1/users/9", `{"name": "Ewa", "code": "852085", "rights": ["arm", "network"], "partitions": [2], "locks": [3]}`)
	user, err := satel.ParseUser(b.about(satel.CmdUser, DefaultCode, 9).Data)
	require.NoError(t, err)
	require.Equal(t, "Ewa", user.Name)
	require.Equal(t, []satel.Right{satel.RightArm, satel.RightNetwork}, user.Rights.List())
	require.Equal(t, []int{2}, user.Partitions.Numbers())
	locks, err := satel.ParseUserLocks(b.about(satel.CmdUserLocks, DefaultCode, 9).Data)
	require.NoError(t, err)
	require.Equal(t, []int{3}, locks.Expanders.Addresses())
	users, err := satel.ParseUsers(b.about(satel.CmdUserList, DefaultCode, 1).Data)
	require.NoError(t, err)
	require.Equal(t, []int{1, 9}, users.Existing.Numbers())
	require.Equal(t, []int{9}, users.Editable.Numbers())
	require.Equal(t, resultFrame(satel.ResultNoAccess), b.about(satel.CmdUser, "852085", 1), "she may not know of others")
	require.Equal(t, resultFrame(satel.ResultUserMissing), b.about(satel.CmdUser, DefaultCode, 8))
	require.Equal(t, satel.ResultNoAccess, b.order(satel.CmdDisarm, "852085", 2, 0, 0, 0))

	a.must(http.MethodPut, "/panels/1/users/9", `{"name": "Ewa", "rights": ["all"]}`)
	require.Equal(t, satel.ResultAccepted, b.order(satel.CmdDisarm, "852085", 2, 0, 0, 0), "the code is the old one")
	first := b.nameOf(satel.NameUser, 9).Extra
	a.must(http.MethodDelete, "/panels/1/users/9", "")
	require.Equal(t, satel.ResultCodeNotFound, b.order(satel.CmdDisarm, "852085", 2, 0, 0, 0))
	a.must(http.MethodPut, "/panels/1/users/9", `{"name": "Olga", "code": "963096", "rights": ["all"]}`)
	require.NotEqual(t, first, b.nameOf(satel.NameUser, 9).Extra, "another person")
	require.Equal(t, satel.ResultOK, b.order(satel.CmdArm0, "963096", 2, 0, 0, 0))
	newest, _ := b.Newest()
	require.Equal(t, 1, newest.Record.UserControl())
	for _, wrong := range []string{`{"name": "X", "code": "963096"}`, `{"name": "X", "code": "9"}`, `{"code": "777777", "rights": ["fly"]}`, `{"surname": 1}`} {
		status, text := a.send(http.MethodPut, "/panels/1/users/10", wrong)
		require.Equal(t, http.StatusBadRequest, status)
		require.NotContains(t, text, "963096")
	}
	for cmd := satel.CmdSetUserLocks; cmd <= satel.CmdChangePhoneCode; cmd++ {
		require.Equal(t, satel.ResultNoAccess, b.order(cmd, DefaultCode, 1, 2, 3, 4))
	}
}

func TestNamesAndReactionsChange(t *testing.T) {
	shared := DefaultSite(DefaultCode)
	b, other := setup(t, func(c *Config) { c.Site = &shared }), setup(t, func(c *Config) { c.Site = &shared })
	a := newAPI(t, serve(t, b.Panel))
	a.must(http.MethodPatch, "/panels/1/names/zone/4", `{"name": "Brama łódź", "function": 12, "partition": 2}`)
	require.Equal(t, satel.ObjectName{
		Type: 5, Number: 4, Function: byte(PanicAudible), Text: "Brama łódź", Extra: []byte{2},
	}, b.nameOf(satel.NameZoneAndPartition, 4))
	require.Equal(t, []string{"123 p2 zone4"}, b.do(b.Violate(4))[:1])
	for path, want := range map[string]satel.ObjectName{
		"partition/1": {Number: 1, Text: "Nowa"}, "output/1": {Type: 4, Number: 1, Function: 2, Text: "Nowa"},
		"device/193": {Type: 3, Number: 193, Function: 10, Text: "Nowa"}, "object/1": {Type: 15, Number: 1, Text: "Nowa"},
	} {
		a.must(http.MethodPatch, "/panels/1/names/"+path, `{"name": "Nowa"}`)
		require.Equal(t, want, b.nameOf(want.Type, want.Number))
	}
	require.Equal(t, "Zaplecze", other.nameOf(satel.NameZone, 4).Text, "panels share nothing")
	require.Equal(t, "Zaplecze", shared.Zones[3].Name)
	for path, body := range map[string]string{
		"zone/99": `{"name": "x"}`, "moon/1": `{}`, "zone/4": `{"name": "longer than sixteen"}`, "zone/5": `{"partition": 9}`,
	} {
		status, _ := a.send(http.MethodPatch, "/panels/1/names/"+path, body)
		require.GreaterOrEqual(t, status, http.StatusBadRequest, path)
	}
}

func TestThermometersAndPower(t *testing.T) {
	site := DefaultSite(DefaultCode)
	site.Outputs[4].Watts = 42.5
	b := setup(t, func(c *Config) { c.Site = &site })
	a := newAPI(t, serve(t, b.Panel))
	_, told := b.Answer(satel.Frame{Cmd: satel.CmdZoneTemperature, Data: []byte{3}})
	require.False(t, told)
	for query, want := range map[string]satel.Temperature{
		"-12.5": {Zone: 3, Celsius: -12.5, Measured: true}, "unknown": {Zone: 3},
	} {
		a.must(http.MethodPost, "/panels/1/zones/3/temperature?celsius="+query, "")
		shown, err := satel.ParseTemperature(b.ask(satel.CmdZoneTemperature, 3).Data)
		require.NoError(t, err)
		require.Equal(t, want, shown)
	}
	a.must(http.MethodDelete, "/panels/1/zones/3/temperature", "")
	_, told = b.Answer(satel.Frame{Cmd: satel.CmdZoneTemperature, Data: []byte{3}})
	require.False(t, told)

	watts := func() float64 {
		power, err := satel.ParseOutputPower(b.ask(satel.CmdOutputPower, 5).Data)
		require.NoError(t, err)
		return power.Watts
	}
	require.Zero(t, watts())
	require.Equal(t, satel.ResultAccepted, b.order(satel.CmdOutputsOn, DefaultCode, satel.NewBits(16, 5)...))
	require.InDelta(t, 42.5, watts(), 0.01)
}

func TestDoors(t *testing.T) {
	site := DefaultSite(DefaultCode)
	site.Outputs = append(site.Outputs, Output{Number: 6, Name: "Furtka", Function: outDoor})
	b := setup(t, func(c *Config) { c.Site = &site })
	order := append(satel.NewBits(16, 5, 6), 0b100, 0, 0, 0, 0, 0, 0, 0)
	require.Equal(t, satel.ResultAccepted, b.order(satel.CmdOpenDoor, DefaultCode, order...))
	require.Equal(t, []int{6}, b.list(satel.CmdOutputs), "5 is no lock")
	require.Equal(t, []string{"73 output6", "72 user1"}, func() []string {
		out := b.log(0)
		for i := range out {
			out[i] = strings.Replace(out[i], " p1", "", 1)
		}
		return out
	}())
	require.Equal(t, []int{2}, b.Commands()[0].Expanders)
	b.clock.advance(doorTime)
	require.Empty(t, b.list(satel.CmdOutputs))
	require.Equal(t, satel.ResultAccepted, b.order(satel.CmdOutputsOn, DefaultCode, satel.NewBits(16, 6)...))
	require.Empty(t, b.list(satel.CmdOutputs), "a lock is opened by its own command alone")

	a := newAPI(t, serve(t, b.Panel))
	a.must(http.MethodPost, "/panels/1/doors/7/long", "")
	require.Equal(t, []int{7}, satel.Bits(b.ask(satel.CmdDoorsOpen).Data).Addresses())
	require.Equal(t, []int{7}, satel.Bits(b.ask(satel.CmdDoorsLong).Data).Addresses())
	a.must(http.MethodPost, "/panels/1/doors/7/close", "")
	require.Empty(t, satel.Bits(b.ask(satel.CmdDoorsOpen).Data).Addresses())
	require.Equal(t, []string{"89 expander7", "89R expander7"}, b.log(2))
}

func TestTwoCodes(t *testing.T) {
	site := DefaultSite(DefaultCode)
	site.Partitions[0].TwoCodes, site.Partitions[0].ExitDelay = true, 0
	site.Users = append(site.Users, User{Number: 2, Name: "Drugi", Code: "4321", Rights: AllRights})
	b := setup(t, func(c *Config) { c.Site = &site })
	one := []byte{1, 0, 0, 0}
	first := func(code string, seconds, action byte) {
		require.Equal(t, satel.ResultAccepted, b.order(satel.CmdFirstCodeEnter, code, append(one, seconds, 0, action)...))
	}
	arm := func(code string) satel.Result { return b.order(satel.CmdArm0, code, one...) }
	require.Equal(t, satel.ResultCannotArm, arm(DefaultCode))
	first(DefaultCode, 30, firstToArm)
	require.Equal(t, []int{1}, b.list(satel.CmdFirstCode))
	require.Equal(t, satel.ResultCannotArm, arm(DefaultCode), "the same user twice")
	b.clock.advance(30 * time.Second)
	require.Empty(t, b.list(satel.CmdFirstCode))
	require.Equal(t, satel.ResultCannotArm, arm("4321"), "too late")
	first(DefaultCode, 30, firstToArm)
	require.Equal(t, satel.ResultOK, arm("4321"))
	require.Empty(t, b.list(satel.CmdFirstCode), "used up")
	require.Equal(t, satel.ResultNoAccess, b.order(satel.CmdDisarm, DefaultCode, one...))
	first(DefaultCode, 30, firstToDisarm)
	first(DefaultCode, 0, firstCancelled)
	require.Equal(t, satel.ResultNoAccess, b.order(satel.CmdDisarm, "4321", one...))
	first(DefaultCode, 30, firstToDisarm)
	require.Equal(t, satel.ResultAccepted, b.order(satel.CmdDisarm, "4321", one...))
	require.Empty(t, b.list(satel.CmdArmed))
}

func TestServiceMode(t *testing.T) {
	b := setup(t)
	a := newAPI(t, serve(t, b.Panel))
	a.must(http.MethodPost, "/panels/1/service/on", "")
	require.True(t, b.clockFlags().ServiceMode)
	require.Empty(t, b.do(b.Violate(8)), "a fire detector that is being tried")
	require.Equal(t, []int{8}, b.list(satel.CmdZonesViolated))
	require.Equal(t, satel.ResultCannotArm, b.order(satel.CmdArm0, DefaultCode, 1, 0, 0, 0))
	require.Equal(t, satel.ResultNoAccess, b.order(satel.CmdClearAlarm, DefaultCode, 1, 0, 0, 0))
	b.do(b.RestoreZone(8))
	a.must(http.MethodPost, "/panels/1/service/off", "")
	require.False(t, b.clockFlags().ServiceMode)
	require.Equal(t, []string{"627 panel0", "628 panel0"}, b.log(0))
}

func TestEveryTroubleOfThePanelCanBeHad(t *testing.T) {
	b := setup(t)
	for name, cmd := range map[string]satel.Command{
		"technical_zone.128": satel.CmdTroubles1, "expander_ac.5": satel.CmdTroubles1, "ethm_monitoring.3": satel.CmdTroubles1,
		"system.rtc": satel.CmdTroubles1, "reader_b.2": satel.CmdTroubles2, "jam_level.2=40": satel.CmdTroubles3,
		"radio_low_batt.7": satel.CmdTroubles3, "expander_no_comm.63": satel.CmdTroubles4, "user_fob_batt.3": satel.CmdTroubles5,
		"radio_no_comm.130": satel.CmdTroubles6, "technical_zone.200": satel.CmdTroubles7, "int_gsm.0.jamming": satel.CmdTroubles8,
		"modem1_code.2=300": satel.CmdTroubles8, "jam_level.17=9": satel.CmdTroubles7,
	} {
		b.do(b.StartTrouble(name))
		told, err := satel.ParseTroubles(cmd, b.ask(cmd).Data)
		require.NoError(t, err)
		group, item, _ := strings.Cut(name, ".")
		if number, value, isLevel := strings.Cut(item, "="); isLevel {
			require.Len(t, told.Levels, 1, name)
			require.Equal(t, group, told.Levels[0].Group)
			require.Equal(t, number, strconv.Itoa(told.Levels[0].Item))
			require.Equal(t, value, strconv.Itoa(told.Levels[0].Value))
		} else {
			require.Equal(t, []string{name}, told.Names(), name)
		}
		require.True(t, b.clockFlags().Trouble || group == "jam_level", name)
		b.do(b.EndTrouble(name))
		told, err = satel.ParseTroubles(cmd, b.ask(cmd).Data)
		require.NoError(t, err)
		require.Empty(t, told.Levels, name)
		for _, rest := range told.Active {
			require.True(t, rest.Memory, name)
		}
	}
	require.Contains(t, b.log(0), "301 expander5")
	for _, wrong := range []string{"moon.1", "jam_level.2=0", "jam_level.2=x", "expander_ac.64", "mains.1", ""} {
		_, err := b.StartTrouble(wrong)
		require.ErrorIs(t, err, ErrNotFound, wrong)
	}
}

func TestClockJumpsAndMemoryWraps(t *testing.T) {
	b := setup(t, capacity(12))
	a := newAPI(t, serve(t, b.Panel))
	before := b.Clock()
	a.must(http.MethodPost, "/panels/1/clock?jump=-3600000", "")
	require.Equal(t, -time.Hour, b.Clock().Sub(before))
	require.Empty(t, b.log(0), "nothing tells of it")
	first := b.Record(numbered(t, 1))
	a.must(http.MethodPost, "/panels/1/memory/fill", "")
	require.Equal(t, 12, b.Held())
	require.Len(t, b.Events(first.Sequence, 0), 13)
}
