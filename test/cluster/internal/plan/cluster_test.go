package plan

import (
	"net/netip"
	"testing"
)

func TestCheckName(t *testing.T) {
	for _, good := range []string{"p2p", "a", "e2e", "abcdefghij"} {
		if err := CheckName(good); err != nil {
			t.Errorf("CheckName(%q): %v", good, err)
		}
	}
	for _, bad := range []string{"", "P2P", "2p", "a-b", "a_b", "abcdefghijk", "../x", "a b"} {
		if err := CheckName(bad); err == nil {
			t.Errorf("CheckName(%q) accepts it", bad)
		}
	}
}

func TestCheckOfficeName(t *testing.T) {
	for _, good := range []string{"paris", "new-york", "a", "n", "north1", "abcdefghijklm"} {
		if err := CheckOfficeName(good); err != nil {
			t.Errorf("CheckOfficeName(%q): %v", good, err)
		}
	}
	for _, bad := range []string{"", "Paris", "wan", "n0", "n1", "n12", "-a", "a-", "abcdefghijklmn", "a/b"} {
		if err := CheckOfficeName(bad); err == nil {
			t.Errorf("CheckOfficeName(%q) accepts it", bad)
		}
	}
}

// The kernel takes interface names of at most 15 bytes.
func TestInterfaceNamesFit(t *testing.T) {
	longest := Cluster{Name: "abcdefghij"}
	if name := longest.HostInterface(); len(name) > 15 || CheckName(longest.Name) != nil {
		t.Errorf("%q has %d bytes", name, len(name))
	}
	office := Office{Name: "abcdefghijklm"}
	if name := office.Interface(); len(name) > 15 || CheckOfficeName(office.Name) != nil {
		t.Errorf("%q has %d bytes", name, len(name))
	}
}

// What one cluster removes by prefix must never be another's.
func TestPrefixesTellClustersApart(t *testing.T) {
	a, ab := Cluster{Name: "a"}, Cluster{Name: "ab"}
	if got := ab.Netns("n1"); len(got) >= len(a.NetnsPrefix()) && got[:len(a.NetnsPrefix())] == a.NetnsPrefix() {
		t.Errorf("%q begins with the prefix %q of another cluster", got, a.NetnsPrefix())
	}
}

func TestAddressesStayInTheirBlocks(t *testing.T) {
	c := Cluster{Name: "p2p", Net: 217, NodeCount: MaxNodes}
	seen := map[string]bool{}
	claim := func(ip, cidr string) {
		t.Helper()
		addr := netip.MustParseAddr(ip)
		if !netip.MustParsePrefix(cidr).Contains(addr) || !c.Whole().Contains(addr) {
			t.Errorf("%s is not in %s and %s", ip, cidr, c.Whole())
		}
		if seen[ip] {
			t.Errorf("%s is given twice", ip)
		}
		seen[ip] = true
	}
	for _, ip := range []string{c.WANIP(), c.ControlPlaneIP(), c.HostIP()} {
		claim(ip, c.NodesCIDR())
	}
	for _, n := range c.Nodes() {
		claim(n.IP, c.NodesCIDR())
		if !netip.MustParsePrefix(PodCIDR).Overlaps(netip.MustParsePrefix(n.PodCIDR)) {
			t.Errorf("pods of %s are not in %s", n.Name, PodCIDR)
		}
	}
	for i := 1; i <= MaxOffices; i++ {
		claim(c.OfficeIP(i), c.OfficeCIDR(i))
		claim(c.OfficeGateway(i), c.OfficeCIDR(i))
		if !netip.MustParsePrefix(c.OfficesCIDR()).Overlaps(netip.MustParsePrefix(c.OfficeCIDR(i))) {
			t.Errorf("office %d is not in %s", i, c.OfficesCIDR())
		}
	}
	if netip.MustParsePrefix(c.NodesCIDR()).Overlaps(netip.MustParsePrefix(c.OfficesCIDR())) {
		t.Error("nodes and offices share addresses")
	}
}

func TestChooseNet(t *testing.T) {
	tests := []struct {
		name string
		used []string
		want int
	}{
		{name: "nothing used", want: 200},
		{name: "default route does not count", used: []string{"0.0.0.0/0"}, want: 200},
		{name: "other networks do not count", used: []string{"192.168.0.0/16", "172.17.0.0/16", "10.1.0.0/16"}, want: 200},
		{name: "another cluster's halves", used: []string{"10.200.0.0/17", "10.200.128.0/17"}, want: 201},
		{name: "a single address", used: []string{"10.200.7.7/32", "10.201.0.254/32"}, want: 202},
		{name: "a wide route that leaves some free", used: []string{"10.192.0.0/12"}, want: 208},
		{name: "a route wider than all is worked around", used: []string{"10.0.0.0/8"}, want: 200},
		{name: "what is used inside a wide route is avoided", used: []string{"10.0.0.0/8", "10.200.0.0/16"}, want: 201},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ChooseNet(prefixes(test.used))
			if err != nil || got != test.want {
				t.Errorf("got %d, %v; want %d", got, err, test.want)
			}
		})
	}
}

func TestChooseNetNeverTakesThePods(t *testing.T) {
	var used []netip.Prefix
	for {
		net, err := ChooseNet(used)
		if err != nil {
			break
		}
		block := Cluster{Net: net}.Whole()
		if block.Overlaps(netip.MustParsePrefix(PodCIDR)) || block.Overlaps(netip.MustParsePrefix(ServiceCIDR)) {
			t.Fatalf("chose %s, which pods or Services have", block)
		}
		used = append(used, block)
	}
	if len(used) != 154 {
		t.Errorf("%d blocks were free, want 154", len(used))
	}
}

func prefixes(texts []string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}
