package loader

import (
	"strconv"
	"strings"
)

// A tracker gives each event under a stream's URL a swarm of its own: the id of the first event's swarm, and for later
// ones that id, an at sign and the Unix time of their begin in base 36.

// epochOf is the epoch in a swarm id, 0 for that of the first event.
func epochOf(swarmID string) int64 {
	at := strings.LastIndexByte(swarmID, '@')
	if at < 0 {
		return 0
	}
	text := swarmID[at+1:]
	epoch, err := strconv.ParseInt(text, 36, 64)
	if err != nil || epoch <= 0 || strconv.FormatInt(epoch, 36) != text {
		return 0
	}
	return epoch
}
