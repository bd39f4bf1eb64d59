package validate

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestTexts(t *testing.T) {
	for name, tt := range map[string]struct {
		check     func(field, value string) error
		good, bad []string
	}{
		"HostPort": {
			HostPort(":8000"), []string{":8000", ":0", "127.0.0.1:1", "[::1]:65535", "host.example:80"},
			[]string{"", "x", "8000", ":http", ":65536", "::1:80", "[::1]", "[::1:80", "host:", "[host]:80"},
		},
		"HTTP": {
			HTTP, []string{"http://h/a.m3u8", "https://h:1/?k=v"},
			[]string{"", "x", "ftp://h/", "http:///a", "http://[::1", "file:///etc/passwd"},
		},
		"WebSocket": {
			WebSocket, []string{"ws://h:8000/announce", "wss://h"},
			[]string{"", "http://h", "ws:///announce"},
		},
		"STUN": {
			STUN, []string{"stun:h", "stun:192.0.2.1:3478", "stun:[2001:db8::1]:3478", "stun:[2001:db8::1]"},
			[]string{"", "h:3478", "turn:h", "stun:", "stun::3478", "stun://h", "stun:h:port", "stun:h:3478?transport=udp", "stun:2001:db8::1"},
		},
		"BaseURL": {
			BaseURL, []string{"https://t.example", "http://t.example:8000/ecdn/"},
			[]string{"t.example", "https://t.example/?a=1", "https://t.example/#a"},
		},
		"Origin": {
			Origin, []string{"*", "https://a.example", "http://a.example:8080"},
			[]string{"", "a.example", "https://a.example/", "https://a.example?q", "null"},
		},
		"IP": {
			IP, []string{"192.0.2.1", "2001:db8::1"},
			[]string{"", "host.example", "192.0.2.1:80", "192.0.2"},
		},
		"CIDR": {
			CIDR, []string{"10.0.0.0/8", "2001:db8::/32", "192.0.2.1/32"},
			[]string{"", "10.0.0.0", "10.0.0.0/33", "10/8", "host/8", "fe80::1%eth0/64"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range tt.good {
				if err := tt.check("config.field", v); err != nil {
					t.Errorf("%q: %v", v, err)
				}
			}
			for _, v := range tt.bad {
				if err := tt.check("config.field", v); err == nil || !strings.HasPrefix(err.Error(), "config.field: ") {
					t.Errorf("%q: error is %v", v, err)
				}
			}
		})
	}
}

func TestNumbers(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"zero":          {NotNegative("f", 0), true},
		"negative":      {NotNegative("f", -time.Second), false},
		"low end":       {Between("f", 1, 1, 2), true},
		"high end":      {Between("f", 2, 1, 2), true},
		"above":         {Between("f", 2.5, 1, 2), false},
		"not a number":  {Between("f", math.NaN(), 1, 2), false},
		"at the bound":  {AtLeast("f", 1, 1), true},
		"under bound":   {AtLeast("f", 0, 1), false},
		"unset is fine": {Optional("f", "", IP), true},
		"set is not":    {Optional("f", "x", IP), false},
		"all of a list": {Each("f", []string{"192.0.2.1", "192.0.2.2"}, IP), true},
		"one of a list": {Each("f", []string{"192.0.2.1", "x"}, IP), false},
	} {
		if (tt.err == nil) != tt.want {
			t.Errorf("%s: %v", name, tt.err)
		}
	}
}

func TestJSONObject(t *testing.T) {
	for text, want := range map[string]bool{"": true, "{}": true, `{"a":1}`: true, "[]": false, "{": false, "1": false} {
		if err := JSONObject("f", []byte(text), "{}"); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestFirstIsTheFirst(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	if err := First(nil, a, b); !errors.Is(err, a) {
		t.Errorf("got %v", err)
	}
	if err := First(nil, nil); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestAListNamesThePlace(t *testing.T) {
	err := Each("config.advertise", []string{"192.0.2.1", "x"}, IP)
	if err == nil || !strings.HasPrefix(err.Error(), "config.advertise[1]: ") {
		t.Errorf("got %v", err)
	}
}

func TestNoSecretIsShown(t *testing.T) {
	for _, v := range []string{"ftp://user:secret@h/a", "ftp://h/?token=secret"} {
		if err := HTTP("config.source", v); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
}
