package descriptions

import (
	"net/netip"
	"testing"
)

const masked = "0e9c3a1c-8f5d-4a47-9a3e-111111111111.local"

// told is a candidate that a STUN server told the peer.
func told(address string) string {
	return "a=candidate:842163049 1 udp 1677729535 " + address + " 51820 typ srflx raddr 0.0.0.0 rport 0 generation 0 network-id 1\r\n"
}

// TestHosts reads descriptions as Chromium, Firefox and our own peers write them.
func TestHosts(t *testing.T) {
	for name, c := range map[string]struct {
		lines string
		rules Rules
		want  Hosts
	}{
		"no candidate":                         {"", Rules{}, NoHosts},
		"a STUN server's answer alone":         {told("198.51.100.7"), Rules{}, NoHosts},
		"an address":                           {offered("10.1.2.3"), Rules{}, HostsShown},
		"an address in capitals":               {"A=CANDIDATE:1 1 UDP 2122265343 10.1.2.3 39155 TYP HOST\r\n", Rules{}, HostsShown},
		"a name":                               {offered(masked), Rules{}, HostsHidden},
		"a name in capitals":                   {offered("HOST.LOCAL"), Rules{}, HostsHidden},
		"names of two interfaces":              {offered(masked) + offered("1"+masked[1:]), Rules{}, HostsHidden},
		"a name and an address":                {offered(masked) + offered("10.1.2.3"), Rules{}, HostsShown},
		"an address and a name":                {offered("2001:db8::1") + offered(masked), Rules{}, HostsShown},
		"a name behind the office's NAT":       {offered(masked) + told("198.51.100.7"), Rules{}, HostsHidden},
		"a name and a STUN server inside":      {offered(masked) + told("10.1.2.3"), Rules{}, HostsReflected},
		"the STUN server first":                {told("192.168.7.8") + offered(masked), Rules{}, HostsReflected},
		"STUN servers inside and outside":      {offered(masked) + told("10.1.2.3") + told("198.51.100.7"), Rules{}, HostsReflected},
		"STUN over IPv6":                       {offered(masked) + told("2001:db8::7"), Rules{}, HostsReflected},
		"STUN with an IPv4 address as IPv6":    {offered(masked) + told("::ffff:198.51.100.7"), Rules{}, HostsHidden},
		"a name as a STUN server's answer":     {offered(masked) + told(masked), Rules{}, HostsHidden},
		"an address that is left out":          {offered(masked) + offered("169.254.7.7"), Rules{}, HostsHidden},
		"an address out of the allowed ranges": {offered(masked) + offered("192.168.1.1"), Rules{Ranges: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, HostsHidden},
		"a relay":                              {offered(masked) + "a=candidate:7 1 udp 41885439 10.9.9.9 50000 typ relay raddr 0.0.0.0 rport 0\r\n", Rules{}, HostsHidden},
		"a type with more letters":             {"a=candidate:1 1 udp 1 10.1.2.3 9 typ hosts\r\n", Rules{}, NoHosts},
		"too few fields":                       {"a=candidate:1 1 udp 1 10.1.2.3 9 host\r\n", Rules{}, NoHosts},
	} {
		for how, s := range map[string]func(string) string{
			"plain":   func(s string) string { return string(spell(s)) },
			"escaped": func(s string) string { return string(escape(s)) },
		} {
			if got, err := Clean([]byte(s(head+c.lines)), c.rules); err != nil || got.Hosts != c.want {
				t.Errorf("%s, %s: %d, want %d, %v", name, how, got.Hosts, c.want, err)
			}
		}
	}
}
