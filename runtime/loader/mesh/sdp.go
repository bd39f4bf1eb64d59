package mesh

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// Bounds on a session description from a peer.
const (
	maxSDPBytes      = 16 << 10
	maxSDPLine       = 1 << 10
	maxSDPCandidates = 10
	maxSDPPorts      = 4 // of one address: each is sent checks
)

var errSDP = errors.New("session description is unusable")

// knownAttributes are what a data channel takes. Other lines of a peer's description are not used, and
// must not reach code that would make something of it.
var knownAttributes = map[string]bool{
	"group": true, "setup": true, "mid": true, "ice-ufrag": true, "ice-pwd": true, "ice-options": true, "fingerprint": true,
	"sctp-port": true, "sctpmap": true, "max-message-size": true, "candidate": true, "end-of-candidates": true,
}

// cleanSDP rewrites a description from the lines that describe one data channel, with the usable candidates: UDP ones
// with an address. Names that end in .local hide browsers from all hosts beyond their own link; the checks of such a
// browser arrive all the same and create a peer-reflexive candidate. The bound on candidates keeps a peer from
// directing our checks at a whole network, and the bound on ports from directing too many at one machine. Descriptions
// of anything but one data channel are refused.
func cleanSDP(sdp string) (string, error) {
	if sdp == "" || len(sdp) > maxSDPBytes {
		return "", errSDP
	}
	var b strings.Builder
	b.Grow(len(sdp))
	media := 0
	candidates := make(map[netip.AddrPort]bool, maxSDPCandidates)
	ports := make(map[netip.Addr]int, maxSDPCandidates)
	// Parsers take either character for the end of a line.
	for line := range strings.FieldsFuncSeq(sdp, func(r rune) bool { return r == '\r' || r == '\n' }) {
		kind, value, ok := strings.Cut(line, "=")
		if !ok || len(line) > maxSDPLine {
			return "", errSDP
		}
		switch kind {
		case "v", "o", "s", "t", "c":
		case "m":
			if media++; media > 1 || !strings.HasPrefix(value, "application ") {
				return "", errSDP
			}
		case "a":
			name, rest, _ := strings.Cut(value, ":")
			if !knownAttributes[name] {
				continue
			}
			if name == "candidate" {
				to, ok := candidateAddress(rest)
				if !ok || candidates[to] || len(candidates) == maxSDPCandidates || ports[to.Addr()] == maxSDPPorts {
					continue
				}
				candidates[to] = true
				ports[to.Addr()]++
			}
		default:
			continue
		}
		b.WriteString(line)
		b.WriteString("\r\n")
	}
	if media == 0 {
		return "", errSDP
	}
	return b.String(), nil
}

// candidateAddress reads where a candidate leads (RFC 8839 §5.1); false if that is nowhere.
func candidateAddress(text string) (netip.AddrPort, bool) {
	fields := strings.Fields(text)
	if len(fields) < 8 || !strings.EqualFold(fields[2], "udp") {
		return netip.AddrPort{}, false
	}
	addr, err := netip.ParseAddr(fields[4])
	port, portErr := strconv.ParseUint(fields[5], 10, 16)
	if err != nil || portErr != nil || port == 0 || !reachable(addr) {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), true
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// reachable tells whether an address can be one peer's.
func reachable(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() && a.Zone() == "" && a != broadcast
}
