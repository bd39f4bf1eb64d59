package verdict

import (
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

func TestWeigh(t *testing.T) {
	t.Parallel()
	warn, little := Finding{Warning, "", "Warned", "Change it."}, Finding{Limited, "", "Little", "Little is shared."}
	audio, all := Finding{OffKind, identity.Secondary, "Audio", "Audio is off."}, Finding{Off, "", "All", "All is off."}
	for name, tt := range map[string]struct {
		findings []Finding
		want     Verdict
	}{
		"nothing":                {nil, Verdict{Peerable: true, Reason: Peerable}},
		"a warning":              {[]Finding{warn}, Verdict{Peerable: true, Reason: Peerable, Message: "Warned: Change it."}},
		"the weightiest is told": {[]Finding{warn, little, audio}, Verdict{Reason: "Audio", Message: "Audio is off. Also: Little, Warned.", SecondaryOff: true}},
		"each reason is told once": {[]Finding{all, warn, warn, all}, Verdict{Reason: "All", Message: "All is off. Also: Warned.", MainOff: true,
			SecondaryOff: true}},
		"of two of one weight, the first": {[]Finding{little, {Limited, "", "Other", "Other."}}, Verdict{Reason: "Little", Message: "Little is shared. Also: Other."}},
	} {
		if got := Weigh(tt.findings); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}
