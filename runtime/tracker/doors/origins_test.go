package doors

import "testing"

func TestOrigins(t *testing.T) {
	list := []string{"https://intranet.example", "http://t.example:8000"}
	for _, tt := range []struct {
		name         string
		allowed      []string
		external     string
		origin, host string
		want         bool
	}{
		{"all", nil, "", "https://x.example", "t", true},
		{"star", []string{"*"}, "https://t.example", "https://x.example", "t", true},
		{"listed", list, "", "HTTPS://intranet.example", "t", true},
		{"foreign", list, "", "https://x.example", "t", false},
		{"null", list, "", "null", "t", false},
		{"none", list, "", "", "", false},
		{"rebound name", list, "", "http://evil.example", "evil.example", false},
		{"rebound name with a port", list, "", "http://evil.example:8000", "evil.example:8000", false},
		{"name that looks like an address", list, "", "http://127.0.0.1.evil.example", "127.0.0.1.evil.example", false},
		{"own address", list, "", "http://192.0.2.1:31742", "192.0.2.1:31742", true},
		{"own IPv6 address", list, "", "http://[2001:db8::1]:31742", "[2001:db8::1]:31742", true},
		{"own IPv6 address without a port", list, "", "http://[2001:db8::1]", "[2001:db8::1]", true},
		{"localhost", list, "", "http://localhost:8090", "localhost:8090", true},
		{"own name, listed", list, "", "http://t.example:8000", "t.example:8000", true},
		{"own name", list, "https://t.example", "https://t.example", "t.example", true},
		{"address, but the name is known", list, "https://t.example", "https://192.0.2.1", "192.0.2.1", false},
		{"rebound, but the name is known", list, "https://t.example", "https://evil.example", "evil.example", false},
		{"own name behind a proxy", list, "https://t.example", "https://t.example", "10.0.0.1:8000", true},
	} {
		if got := NewOrigins(tt.allowed, tt.external).Allow(tt.origin, tt.host); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
