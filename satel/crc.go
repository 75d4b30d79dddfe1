package satel

import "math/bits"

const crcStart = 0x147A

// CRC returns the check value over a command byte and its data, before stuffing.
func CRC(data []byte) uint16 {
	crc := uint16(crcStart)
	for _, b := range data {
		crc = crcStep(crc, b)
	}
	return crc
}

func crcStep(crc uint16, b byte) uint16 {
	crc = ^bits.RotateLeft16(crc, 1)
	return crc + crc>>8 + uint16(b)
}
