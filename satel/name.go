package satel

import "fmt"

// ObjectType says whose name CmdObjectName reads.
type ObjectType byte

// Types of objects with a name. From NameTimer on only newer modules have them.
const (
	NamePartition        ObjectType = 0
	NameZone             ObjectType = 1
	NameUser             ObjectType = 2
	NameDevice           ObjectType = 3 // expander 129 to 192, keypad 193 to 210
	NameOutput           ObjectType = 4
	NameZoneAndPartition ObjectType = 5 // with one extra byte, the zone's partition
	NameTimer            ObjectType = 6
	NamePhone            ObjectType = 7
	NameObject           ObjectType = 15
	NamePartitionObject  ObjectType = 16 // with one extra byte, the partition's object
	// These have several extra bytes whose meaning is not published.
	NameOutputDuration        ObjectType = 17
	NamePartitionOptions      ObjectType = 18
	NamePartitionDependencies ObjectType = 19
)

const (
	nameSize       = 16
	nameHeaderSize = 3

	// maxNumber is the highest number of an object; the protocol writes it as 0.
	maxNumber = 256
)

// ObjectName is a name with what the panel tells beside it.
type ObjectName struct {
	Type     ObjectType
	Number   int  // 1 to 256
	Function byte // reaction, partition type, module type or output function; see LookupType
	Text     string
	Extra    []byte // what follows the name, often nothing
}

// AppendNameRequest appends the data of a request CmdObjectName; number is 1 to 256.
func AppendNameRequest(dst []byte, t ObjectType, number int) []byte {
	return append(dst, byte(t), byte(number))
}

// ParseNameRequest reads the data of a request CmdObjectName, for the side of the module.
func ParseNameRequest(data []byte) (ObjectType, int, error) {
	if len(data) != 2 {
		return 0, 0, fmt.Errorf("name request: %w: %d bytes", ErrLength, len(data))
	}
	return ObjectType(data[0]), wireNumber(data[1]), nil
}

// ParseObjectName reads the data of an answer to CmdObjectName. A panel answers CmdResult instead when it has no such
// object.
func ParseObjectName(data []byte) (ObjectName, error) {
	if len(data) < nameHeaderSize+nameSize {
		return ObjectName{}, fmt.Errorf("object name: %w: %d bytes", ErrLength, len(data))
	}
	n := ObjectName{
		Type: ObjectType(data[0]), Number: wireNumber(data[1]), Function: data[2],
		Text: decodeText(data[nameHeaderSize : nameHeaderSize+nameSize]),
	}
	if extra := data[nameHeaderSize+nameSize:]; len(extra) > 0 {
		n.Extra = append([]byte(nil), extra...)
	}
	return n, nil
}

// AppendObjectName appends the data of an answer to CmdObjectName. It wraps ErrValue when the name is longer than 16
// characters or has one that the panel's code page lacks.
func AppendObjectName(dst []byte, n ObjectName) ([]byte, error) {
	if n.Number < 1 || n.Number > maxNumber {
		return nil, fmt.Errorf("number %d: %w", n.Number, ErrValue)
	}
	dst, err := appendText(append(dst, byte(n.Type), byte(n.Number), n.Function), n.Text, nameSize)
	if err != nil {
		return nil, fmt.Errorf("name of object %d of type %d: %w", n.Number, n.Type, err)
	}
	return append(dst, n.Extra...), nil
}

func wireNumber(b byte) int {
	if b == 0 {
		return maxNumber
	}
	return int(b)
}
