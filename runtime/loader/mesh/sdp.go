package mesh

import (
	"errors"
	"strings"
)

// Bounds on a session description from a stranger.
const (
	maxSDPBytes      = 16 << 10
	maxSDPCandidates = 16
)

var errSDP = errors.New("session description is unusable")

// cleanSDP keeps the candidates that can lead somewhere: UDP ones with an address. Names that end in
// .local hide browsers from everybody but their own link; such a browser's checks arrive all the same and
// make a peer-reflexive candidate. The bound on candidates keeps a stranger from pointing our checks at
// a whole network.
func cleanSDP(sdp string) (string, error) {
	if sdp == "" || len(sdp) > maxSDPBytes {
		return "", errSDP
	}
	var b strings.Builder
	b.Grow(len(sdp))
	candidates := 0
	for line := range strings.Lines(sdp) {
		if rest, ok := strings.CutPrefix(line, "a=candidate:"); ok {
			fields := strings.Fields(rest)
			if len(fields) < 8 || !strings.EqualFold(fields[2], "udp") || strings.HasSuffix(fields[4], ".local") {
				continue
			}
			if candidates++; candidates > maxSDPCandidates {
				continue
			}
		}
		b.WriteString(line)
	}
	return b.String(), nil
}
