package identity

// Value is a JavaScript value as the reference receives it: absent, a number
// or a text. Absent (the zero Value) is not the number 0.
type Value struct {
	kind   valueKind
	number float64
	text   string
}

type valueKind uint8

const (
	kindAbsent valueKind = iota
	kindNumber
	kindText
)

// Number is a numeric Value; NaN is allowed.
func Number(n float64) Value { return Value{kind: kindNumber, number: n} }

// Text is a textual Value; empty text is not the same as absent.
func Text(s string) Value { return Value{kind: kindText, text: s} }

// Present tells whether v is a number or a text.
func (v Value) Present() bool { return v.kind != kindAbsent }

// String prints v as a JavaScript template does; absent is empty.
func (v Value) String() string { return v.string() }
