package policies

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf16"
)

// keys are where Chrome and Edge look for policies of the machine.
var keys = []string{`HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Google\Chrome`, `HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Edge`}

// registry is a file for regedit, in the form in which it exports: UTF-16, little endian, with a byte order mark, and lines
// that end with a carriage return and a line feed. An entry of a list is a value of a key with the policy's name.
func (s Set) registry() []byte {
	values := s.valueNames()
	var b strings.Builder
	b.WriteString("Windows Registry Editor Version 5.00\r\n")
	for _, key := range keys {
		for _, name := range names {
			b.WriteString("\r\n[" + key + `\` + name + "]\r\n")
			for i, origin := range s.origins {
				b.WriteString(quoted(values[i]) + "=" + quoted(origin) + "\r\n")
			}
		}
	}
	b.WriteString("\r\n")
	out := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(b.String())) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return out
}

// valueNames returns the name of each origin's value. Browsers read all values whose name is a number of 32 bits with a sign
// (Chromium's registry_dict.cc), in any order. Names are made from the origins, so that entries that a machine has already,
// usually named 1, 2, 3, are not replaced, nor those of another stream, and importing a file twice changes nothing.
func (s Set) valueNames() []string {
	const base = 1 << 30
	list, taken := make([]string, 0, len(s.origins)), map[uint32]bool{}
	for _, origin := range s.origins {
		sum := sha256.Sum256([]byte(origin))
		n := binary.BigEndian.Uint32(sum[:])%base + base
		for taken[n] {
			n = (n+1)%base + base
		}
		taken[n] = true
		list = append(list, strconv.FormatUint(uint64(n), 10))
	}
	return list
}

// quoted spells a string of a .reg file.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
