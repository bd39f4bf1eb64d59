package identity

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// isSpace is JavaScript's white space and line terminators: what trim() takes.
func isSpace(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', ' ', 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF:
		return true
	}
	return r >= 0x2000 && r <= 0x200A
}

// trimSpace is JavaScript's trim().
func trimSpace(s string) string { return strings.TrimFunc(s, isSpace) }

// lowerCase is JavaScript's toLowerCase(): Unicode's full mapping without
// locale. It differs from Go's in two places: U+0130 keeps its dot, and a
// capital sigma that ends a word becomes a final sigma.
func lowerCase(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	runes := []rune(s)
	var b strings.Builder
	b.Grow(len(s) + 2)
	for i, r := range runes {
		switch {
		case r == 0x130:
			b.WriteString("i\u0307")
		case r == 0x3A3:
			if isFinalSigma(runes, i) {
				b.WriteRune(0x3C2)
			} else {
				b.WriteRune(0x3C3)
			}
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// isFinalSigma is the Final_Sigma condition of Unicode's SpecialCasing: a cased
// letter before and none after, case-ignorable characters skipped.
func isFinalSigma(runes []rune, at int) bool {
	before := at - 1
	for before >= 0 && isCaseIgnorable(runes[before]) {
		before--
	}
	if before < 0 || !isCased(runes[before]) {
		return false
	}
	after := at + 1
	for after < len(runes) && isCaseIgnorable(runes[after]) {
		after++
	}
	return after == len(runes) || !isCased(runes[after])
}

func isCased(r rune) bool {
	return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r) ||
		unicode.Is(unicode.Other_Lowercase, r) || unicode.Is(unicode.Other_Uppercase, r)
}

func isCaseIgnorable(r rune) bool {
	switch r {
	// Word_Break = MidLetter, MidNumLet, Single_Quote.
	case '\'', '.', ':', 0xB7, 0x387, 0x55F, 0x5F4, 0x2018, 0x2019, 0x2024, 0x2027,
		0xFE13, 0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A:
		return true
	}
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}

// upperCase is JavaScript's toUpperCase(): where Unicode maps one character to
// several, so does it.
func upperCase(s string) string {
	if isASCII(s) {
		return strings.ToUpper(s)
	}
	var b strings.Builder
	b.Grow(len(s) + 4)
	for _, r := range s {
		if several := upperSeveral(r); several != "" {
			b.WriteString(several)
			continue
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

// firstUnits is JavaScript's slice(0, n): the first n UTF-16 units. A pair that
// is cut in half becomes U+FFFD, as the browser's UTF-8 encoder writes it.
func firstUnits(s string, n int) string {
	// Enough for n units whatever they are, so that long text costs nothing.
	end, count := 0, 0
	for count < n && end < len(s) {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
		count++
	}
	units := utf16.Encode([]rune(s[:end]))
	if len(units) > n {
		units = units[:n]
	}
	return string(utf16.Decode(units))
}

// compareUnits orders texts by UTF-16 units, as JavaScript's sort() does.
// Bytewise order differs from it for characters beyond U+FFFF.
func compareUnits(a, b string) int {
	if isASCII(a) && isASCII(b) {
		return strings.Compare(a, b)
	}
	ua, ub := utf16.Encode([]rune(a)), utf16.Encode([]rune(b))
	for i := 0; i < len(ua) && i < len(ub); i++ {
		if ua[i] != ub[i] {
			return int(ua[i]) - int(ub[i])
		}
	}
	return len(ua) - len(ub)
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
