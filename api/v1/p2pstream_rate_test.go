package v1

import "testing"

func TestBitsPerSecond(t *testing.T) {
	for text, want := range map[BitRate]int64{"": 0, "500Mbit": 5e8, "1Gbit": 1e9, "64kbit": 64e3, "0kbit": 0} {
		if got, err := text.BitsPerSecond(); err != nil || got != want {
			t.Errorf("%q = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []BitRate{"500", "Mbit", "-1Mbit", "1.5Mbit", "500MB", "99999999999Gbit", "1 Mbit"} {
		if got, err := text.BitsPerSecond(); err == nil {
			t.Errorf("%q = %d, want an error", text, got)
		}
	}
}
