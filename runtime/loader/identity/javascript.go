package identity

// ParseNumber is JavaScript's Number(text): the second result is false where
// that gives NaN. Empty text is 0. Source: ECMA-262, StringToNumber.
func ParseNumber(text string) (float64, bool) { return parseNumber(text) }

// ParseLeadingInt is JavaScript's parseInt(text, 10); no digit gives NaN.
func ParseLeadingInt(text string) float64 { return parseLeadingInt(text) }

// FormatNumber prints n as JavaScript's String(n) does.
func FormatNumber(n float64) string { return formatNumber(n) }
