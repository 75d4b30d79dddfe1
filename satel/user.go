package satel

import "fmt"

// UserKind says how long and how a user's code works.
type UserKind byte

// Kinds of users.
const (
	UserNormal            UserKind = 0
	UserSingle            UserKind = 1 // works once
	UserRenewable         UserKind = 2 // for a time, which the user may prolong
	UserNotRenewable      UserKind = 3
	UserDuress            UserKind = 4 // raises a silent alarm
	UserMono              UserKind = 5
	UserBi                UserKind = 6
	UserTemporaryBlocking UserKind = 7 // blocks a partition for a time
	UserCashMachine       UserKind = 8
	UserGuard             UserKind = 9
	UserSchedule          UserKind = 10
)

var userKindNames = [...]string{
	"normal", "single", "renewable", "not_renewable", "duress", "mono", "bi", "temporary_blocking", "cash_machine",
	"guard", "schedule",
}

// String returns the kind as one word.
func (k UserKind) String() string {
	if int(k) < len(userKindNames) {
		return userKindNames[k]
	}
	return fmt.Sprintf("kind_%d", byte(k))
}

// Right is one thing that a user may do: eight for each of the three bytes, from the lowest bit.
type Right uint8

// Rights. The first code and the second are those of partitions that two codes arm or disarm.
const (
	RightArm Right = iota
	RightDisarm
	RightClearOwnPartitions
	RightClearOwnObject
	RightClearWholeSystem
	RightDeferArming
	RightChangeCode
	RightEditUsers
	RightBypass
	RightSetClock
	RightSeeTroubles
	RightSeeEvents
	RightResetZones
	RightOptions
	RightTests
	RightDownloading
	RightAlwaysDisarm
	RightCancelMessaging
	RightNetwork // "GUARDX use": without it a panel does not know the code over the network
	RightBlockedPartitions
	RightFirstCode
	RightSecondCode
	RightOutputs
	RightLatchedOutputs
)

var rightNames = [...]string{
	"arm", "disarm", "clear_own_partitions", "clear_own_object", "clear_whole_system", "defer_arming", "change_code",
	"edit_users", "bypass", "set_clock", "see_troubles", "see_events", "reset_zones", "options", "tests", "downloading",
	"always_disarm", "cancel_messaging", "network", "blocked_partitions", "first_code", "second_code", "outputs",
	"latched_outputs",
}

// String returns the right as one word.
func (r Right) String() string {
	if int(r) < len(rightNames) {
		return rightNames[r]
	}
	return fmt.Sprintf("right_%d", uint8(r))
}

// Rights are what a user may do, as three bytes of a panel's answer.
type Rights [3]byte

// RightsOf returns the given rights. It panics for one that does not exist.
func RightsOf(rights ...Right) Rights {
	var out Rights
	for _, r := range rights {
		Bits(out[:]).SetAddress(int(r))
	}
	return out
}

// Has tells whether the user has the right.
func (r Rights) Has(right Right) bool { return Bits(r[:]).HasAddress(int(right)) }

// List returns the rights in their order.
func (r Rights) List() []Right {
	addresses := Bits(r[:]).Addresses()
	out := make([]Right, 0, len(addresses))
	for _, a := range addresses {
		out = append(out, Right(a))
	}
	return out
}

// User is what a panel tells of a user. Codes and phone codes are left out on purpose.
type User struct {
	Number           int  // 1-240 users, 241-248 masters, 255 service
	Partitions       Bits // four bytes, those that the user may control
	Kind             UserKind
	CodeNeverChanged bool
	CodeKnown        bool // to another user, who tried to take the same
	MayIsolate       bool
	PhoneCodeChanged bool
	// Time and TemporaryTime belong to kinds that work for a time; their unit is the panel's affair. Who asks of itself
	// is told no TemporaryTime.
	Time, TemporaryTime byte
	Rights              Rights
	Name                string
	Simple, Master      bool
	Object              int // 1 to 8, the group of partitions that the user belongs to
}

// Self is a User as a panel tells it of the one who asks.
type Self = User

// The answers to CmdSelf and CmdUser differ in what stands before the partitions and in the temporary time.
const (
	phoneCodeSize = 2
	rightsSize    = 3
	selfSize      = 29
	userSize      = 28

	userCodeNeverChanged = 0x80
	userCodeKnown        = 0x40
	userMayIsolate       = 0x20
	userPhoneCodeChanged = 0x10
	userKindMask         = 0x0F

	userSimple     = 0x80
	userMaster     = 0x40
	userObjectMask = 0x07
)

// ParseSelf reads the data of an answer to CmdSelf. A panel answers CmdResult instead when it does not know the code.
func ParseSelf(data []byte) (Self, error) {
	if len(data) != selfSize {
		return Self{}, fmt.Errorf("own data: %w: %d bytes", ErrLength, len(data))
	}
	u := User{Number: int(data[0])}
	u.parse(data[1+phoneCodeSize:], false)
	return u, nil
}

// AppendSelf appends the data of an answer to CmdSelf, without a phone code. It wraps ErrValue when the name is longer
// than 16 characters or has one that the panel's code page lacks, or a field does not fit.
func AppendSelf(dst []byte, s Self) ([]byte, error) {
	return s.append(append(dst, byte(s.Number), 0, 0), false)
}

// ParseUser reads the data of an answer to CmdUser. A panel answers CmdResult instead when the code's user may not know.
func ParseUser(data []byte) (User, error) {
	if len(data) != userSize {
		return User{}, fmt.Errorf("user: %w: %d bytes", ErrLength, len(data))
	}
	u := User{Number: int(data[0])}
	u.parse(data[1:], true)
	return u, nil
}

// AppendUser appends the data of an answer to CmdUser, with the errors of AppendSelf.
func AppendUser(dst []byte, u User) ([]byte, error) {
	return u.append(append(dst, byte(u.Number)), true)
}

// parse reads what both answers have from the partitions on.
func (u *User) parse(data []byte, temporary bool) {
	u.Partitions, data = append(Bits(nil), data[:partitionsSize]...), data[partitionsSize:]
	flags := data[0]
	u.CodeNeverChanged, u.CodeKnown = flags&userCodeNeverChanged != 0, flags&userCodeKnown != 0
	u.MayIsolate, u.PhoneCodeChanged = flags&userMayIsolate != 0, flags&userPhoneCodeChanged != 0
	u.Kind = UserKind(flags & userKindMask)
	u.Time, data = data[1], data[2:]
	if temporary {
		u.TemporaryTime, data = data[0], data[1:]
	}
	u.Rights, data = Rights(data[:rightsSize]), data[rightsSize:]
	u.Name = decodeText(data[:nameSize])
	last := data[nameSize]
	u.Simple, u.Master, u.Object = last&userSimple != 0, last&userMaster != 0, int(last&userObjectMask)+1
}

func (u User) append(dst []byte, temporary bool) ([]byte, error) {
	object := max(u.Object, 1) - 1 // the zero value stands for the first
	if u.Number < 0 || u.Number > 255 || u.Kind > userKindMask || u.Object < 0 || object > userObjectMask ||
		len(u.Partitions) > partitionsSize {
		return nil, fmt.Errorf("user %d: %w", u.Number, ErrValue)
	}
	var partitions [partitionsSize]byte
	copy(partitions[:], u.Partitions)
	flags, last := byte(u.Kind), byte(object)
	for _, f := range [...]struct {
		set bool
		in  *byte
		bit byte
	}{
		{u.CodeNeverChanged, &flags, userCodeNeverChanged},
		{u.CodeKnown, &flags, userCodeKnown},
		{u.MayIsolate, &flags, userMayIsolate},
		{u.PhoneCodeChanged, &flags, userPhoneCodeChanged},
		{u.Simple, &last, userSimple},
		{u.Master, &last, userMaster},
	} {
		if f.set {
			*f.in |= f.bit
		}
	}
	dst = append(append(dst, partitions[:]...), flags, u.Time)
	if temporary {
		dst = append(dst, u.TemporaryTime)
	}
	dst, err := appendText(append(dst, u.Rights[:]...), u.Name, nameSize)
	if err != nil {
		return nil, fmt.Errorf("user %d: %w", u.Number, err)
	}
	return append(dst, last), nil
}

// Users is which users a panel has, as it tells the user whose code was given.
type Users struct {
	Asker    int
	Existing Bits // users and masters, by number from 1
	Editable Bits // those that the asker may change, by number from 1
}

const (
	usersListSize = 30
	usersSize     = 1 + 2*usersListSize
)

// ParseUsers reads the data of an answer to CmdUserList. A panel answers CmdResult instead when the code's user may not
// know.
func ParseUsers(data []byte) (Users, error) {
	if len(data) != usersSize {
		return Users{}, fmt.Errorf("list of users: %w: %d bytes", ErrLength, len(data))
	}
	lists := append(Bits(nil), data[1:]...)
	return Users{
		Asker: int(data[0]), Existing: lists[:usersListSize:usersListSize], Editable: lists[usersListSize:],
	}, nil
}

// AppendUsers appends the data of an answer to CmdUserList.
func AppendUsers(dst []byte, u Users) []byte {
	var lists [usersSize]byte
	lists[0] = byte(u.Asker)
	copy(lists[1:1+usersListSize], u.Existing)
	copy(lists[1+usersListSize:], u.Editable)
	return append(dst, lists[:]...)
}

// UserLocks is which expanders, by address from 0, have locks that a user may open.
type UserLocks struct {
	Number    int
	Expanders Bits // eight bytes
}

// ParseUserLocks reads the data of an answer to CmdUserLocks.
func ParseUserLocks(data []byte) (UserLocks, error) {
	if len(data) != 1+expandersSize {
		return UserLocks{}, fmt.Errorf("locks of a user: %w: %d bytes", ErrLength, len(data))
	}
	return UserLocks{Number: int(data[0]), Expanders: append(Bits(nil), data[1:]...)}, nil
}

// AppendUserLocks appends the data of an answer to CmdUserLocks.
func AppendUserLocks(dst []byte, l UserLocks) []byte {
	var list [expandersSize]byte
	copy(list[:], l.Expanders)
	return append(append(dst, byte(l.Number)), list[:]...)
}
