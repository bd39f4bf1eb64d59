package identity

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// formatNumber prints n as JavaScript's Number.prototype.toString does.
// Source: ECMA-262, Number::toString with radix 10.
func formatNumber(n float64) string {
	switch {
	case math.IsNaN(n):
		return "NaN"
	case math.IsInf(n, 1):
		return "Infinity"
	case math.IsInf(n, -1):
		return "-Infinity"
	case n == 0:
		return "0"
	}
	if abs := math.Abs(n); abs >= 1e21 || abs < 1e-6 {
		text := strconv.FormatFloat(n, 'e', -1, 64)
		mantissa, exponent, _ := strings.Cut(text, "e")
		// Go pads the exponent to two digits, JavaScript does not.
		sign, digits := exponent[:1], strings.TrimLeft(exponent[1:], "0")
		return mantissa + "e" + sign + digits
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// parseNumber is JavaScript's Number(text): the second result is false where
// that gives NaN. Source: ECMA-262, StringToNumber.
func parseNumber(text string) (float64, bool) {
	text = trimSpace(text)
	if text == "" {
		return 0, true
	}
	if len(text) > 2 && text[0] == '0' {
		base := 0
		switch text[1] {
		case 'x', 'X':
			base = 16
		case 'o', 'O':
			base = 8
		case 'b', 'B':
			base = 2
		}
		if base != 0 {
			return parseRadix(text[2:], base)
		}
	}
	switch strings.TrimLeft(text, "+-") {
	case "Infinity":
		if len(text)-len("Infinity") > 1 {
			return 0, false
		}
		return math.Inf(infinitySign(text)), true
	}
	if !isDecimalLiteral(text) {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(n, 0) {
		return 0, false
	}
	return n, true
}

func infinitySign(text string) int {
	if text[0] == '-' {
		return -1
	}
	return 1
}

// maxRadixDigits bounds the work on hostile text; 1,100 binary digits already
// exceed the largest float64.
const maxRadixDigits = 1100

func parseRadix(digits string, base int) (float64, bool) {
	if digits == "" || digits[0] == '+' || digits[0] == '-' || strings.Contains(digits, "_") {
		return 0, false
	}
	for i := 0; i < len(digits); i++ {
		if digitValue(digits[i]) >= base {
			return 0, false
		}
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return 0, true
	}
	if len(digits) > maxRadixDigits {
		return math.Inf(1), true
	}
	whole, ok := new(big.Int).SetString(digits, base)
	if !ok {
		return 0, false
	}
	n, _ := new(big.Float).SetInt(whole).Float64()
	return n, true
}

func digitValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return 1 << 8
}

// isDecimalLiteral tells whether text is [+-] digits [. digits] [e [+-] digits]
// with at least one digit in the mantissa; Go's own parser accepts more.
func isDecimalLiteral(text string) bool {
	i := 0
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		i++
	}
	before := skipDigits(text, i)
	mantissa := before - i
	i = before
	if i < len(text) && text[i] == '.' {
		after := skipDigits(text, i+1)
		mantissa += after - i - 1
		i = after
	}
	if mantissa == 0 {
		return false
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		after := skipDigits(text, i)
		if after == i {
			return false
		}
		i = after
	}
	return i == len(text)
}

func skipDigits(text string, i int) int {
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		i++
	}
	return i
}

// parseLeadingInt is JavaScript's parseInt(text, 10): leading white space, a
// sign and the digits that follow, whatever stands behind them. No digit gives
// NaN.
func parseLeadingInt(text string) float64 {
	text = trimSpace(text)
	sign := 1.0
	if text != "" && (text[0] == '+' || text[0] == '-') {
		if text[0] == '-' {
			sign = -1
		}
		text = text[1:]
	}
	end := skipDigits(text, 0)
	if end == 0 {
		return math.NaN()
	}
	n, err := strconv.ParseFloat(text[:end], 64)
	if err != nil && !math.IsInf(n, 0) {
		return math.NaN()
	}
	return sign * n
}

// hexOfInteger prints a finite integer as JavaScript's toString(16) does.
func hexOfInteger(n float64) string {
	whole, _ := big.NewFloat(n).Int(nil)
	return whole.Text(16)
}
