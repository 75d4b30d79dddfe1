package satel

import "fmt"

// Self is what a panel tells of the user whose code was given.
type Self struct {
	Number     int     // 1-240 users, 241-248 masters, 255 service
	Partitions Bits    // those that the user may control
	Rights     [3]byte // as they stand in the data
	Name       string
}

// Places in the data of an answer to CmdSelf; before the partitions lie two bytes of the phone code, before the rights
// the user's kind and time.
const (
	selfPartitionsAt = 3
	selfRightsAt     = 9
	selfNameAt       = 12
	selfSize         = 29
)

// ParseSelf reads the data of an answer to CmdSelf. A panel answers CmdResult instead when it does not know the code.
func ParseSelf(data []byte) (Self, error) {
	if len(data) != selfSize {
		return Self{}, fmt.Errorf("own data: %w: %d bytes", ErrLength, len(data))
	}
	return Self{
		Number: int(data[0]), Partitions: append(Bits(nil), data[selfPartitionsAt:selfPartitionsAt+4]...),
		Rights: [3]byte(data[selfRightsAt:]), Name: decodeText(data[selfNameAt : selfNameAt+nameSize]),
	}, nil
}

// AppendSelf appends the data of an answer to CmdSelf. It wraps ErrValue when the name is longer than 16 characters or
// has one that the panel's code page lacks.
func AppendSelf(dst []byte, s Self) ([]byte, error) {
	head := make([]byte, selfNameAt)
	head[0] = byte(s.Number)
	copy(head[selfPartitionsAt:selfPartitionsAt+4], s.Partitions)
	copy(head[selfRightsAt:], s.Rights[:])
	dst, err := appendText(append(dst, head...), s.Name, nameSize)
	if err != nil {
		return nil, fmt.Errorf("own data of user %d: %w", s.Number, err)
	}
	return append(dst, 0), nil
}

// Users is which users a panel has, as it tells the user whose code was given.
type Users struct {
	Asker    int
	Existing Bits // users and masters, by number from 1
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
	return Users{Asker: int(data[0]), Existing: append(Bits(nil), data[1:1+usersListSize]...)}, nil
}

// AppendUsers appends the data of an answer to CmdUserList in which the asker may edit nobody.
func AppendUsers(dst []byte, u Users) []byte {
	lists := make([]byte, usersSize)
	lists[0] = byte(u.Asker)
	copy(lists[1:1+usersListSize], u.Existing)
	return append(dst, lists...)
}
