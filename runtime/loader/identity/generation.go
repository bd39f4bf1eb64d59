package identity

import (
	"crypto/md5"  // #nosec G501 -- the wire format of p2p-media-loader 2.2.x, not a security measure
	"crypto/sha1" // #nosec G505 -- the wire format of p2p-media-loader 2.3.x, not a security measure
	"encoding/base64"
	"fmt"
)

// Generation is a family of browser-library releases that share one identity
// scheme. Peers of different generations are never in one swarm.
type Generation string

const (
	// V22 names renditions by their integer position and digests with MD5:
	// p2p-media-loader 2.2.x and every page with p2p-media-loader-shaka 2.2.2.
	V22 Generation = "v2.2"
	// V23 names renditions by a digest of their properties and digests with
	// SHA-1: p2p-media-loader 2.3.x, and 3.x and 4.x in their default settings.
	V23 Generation = "v2.3"
	// V3 names renditions by a digest of their properties as the manifest states them, and segments by media sequence or by
	// tenths of a second: p2p-media-loader 5.x. It is announced and not frozen, so it is joined on request only.
	V3 Generation = "v3"
)

// scheme is one row of the table below: all that tells a generation apart.
type scheme struct {
	generation Generation
	// protocol begins the stream swarm id.
	protocol string
	// name is what this generation calls a rendition inside its presentation. An empty index says that it does not share it.
	name func(Stream) (t StreamType, index string)
	// digest returns the 15 bytes whose base64 text is the info hash.
	digest func(text []byte) []byte
	// number is what this generation calls a segment.
	number func(Numbers) int64
	rules  Rules
}

// Rules are how the peers of a generation behave, where that differs.
type Rules struct {
	// Default tells whether the generation is joined without being asked for.
	Default bool
	// Places tells whether peers may name a segment by its place in the playlist, once a live one has ended.
	Places bool
	// Elects tells whether a hash of peer and segment decides which peer asks the origin first. Else all draw lots.
	Elects bool
	// Spare tells whether a peer accepts half as many connections again as it looks for.
	Spare bool
	// Distinct tells whether segments that have one id are not shared. Else peers mean the first of them.
	Distinct bool
	// Asked tells whether the default swarm id is the URL that was asked for. Else it is the one that answered.
	Asked bool
}

// Numbers are what generations call a segment. What they mean belongs to the one who keeps them: ids, or differences to one.
type Numbers struct {
	Counted int64 // by V22: as Shaka Player lists it, or by half seconds
	Listed  int64 // by V23: as hls.js lists it, or by half seconds
	Written int64 // by V3: by media sequence or tenths of a second
}

// Of is the number of a generation, 0 for an unknown one.
func (n Numbers) Of(g Generation) int64 {
	row := schemeOf(g)
	if row == nil {
		return 0
	}
	return row.number(n)
}

// RulesOf are the rules of a generation; all unset for an unknown one.
func RulesOf(g Generation) Rules {
	row := schemeOf(g)
	if row == nil {
		return Rules{}
	}
	return row.rules
}

// table has a row for each generation, oldest first. Nothing writes to it.
var table = [...]scheme{
	{
		generation: V22, protocol: "v2",
		name:   placeOf,
		number: func(n Numbers) int64 { return n.Counted },
		digest: func(text []byte) []byte {
			sum := md5.Sum(text) // #nosec G401 -- wire format
			// The reference drops the first byte, not the last.
			return sum[1:16]
		},
		rules: Rules{Default: true, Places: true},
	},
	{
		generation: V23, protocol: "v2",
		name:   func(s Stream) (StreamType, string) { return s.Type, s.ShortID },
		number: func(n Numbers) int64 { return n.Listed },
		digest: firstOfSHA1,
		rules:  Rules{Default: true, Places: true},
	},
	{
		generation: V3, protocol: "v3",
		name:   func(s Stream) (StreamType, string) { return s.Written.Type, s.Written.ID },
		number: func(n Numbers) int64 { return n.Written },
		digest: firstOfSHA1,
		rules:  Rules{Elects: true, Spare: true, Distinct: true, Asked: true},
	},
}

func placeOf(s Stream) (StreamType, string) {
	if s.Position < 0 {
		return s.Type, ""
	}
	return s.Type, formatInt(s.Position)
}

func firstOfSHA1(text []byte) []byte {
	sum := sha1.Sum(text) // #nosec G401 -- wire format
	return sum[:15]
}

// schemeOf is the row of a generation, nil for an unknown one.
func schemeOf(g Generation) *scheme {
	for i := range table {
		if table[i].generation == g {
			return &table[i]
		}
	}
	return nil
}

// Generations lists every generation this package knows, oldest first.
func Generations() []Generation {
	return generations(func(*scheme) bool { return true })
}

// DefaultGenerations lists those that seeders join and trackers serve without being asked to, oldest first.
func DefaultGenerations() []Generation {
	return generations(func(s *scheme) bool { return s.rules.Default })
}

func generations(wanted func(*scheme) bool) []Generation {
	out := make([]Generation, 0, len(table))
	for i := range table {
		if s := &table[i]; wanted(s) {
			out = append(out, s.generation)
		}
	}
	return out
}

// ParseGenerations reads names of generations: each of them once, in the order of the table. No names are no generations.
func ParseGenerations(names []string) ([]Generation, error) {
	wanted := make(map[Generation]bool, len(names))
	for _, name := range names {
		if schemeOf(Generation(name)) == nil {
			return nil, fmt.Errorf("%q is unknown; use %v", name, Generations())
		}
		wanted[Generation(name)] = true
	}
	return generations(func(s *scheme) bool { return wanted[s.generation] }), nil
}

// InfoHash is the name of a swarm as it stands in tracker JSON: exactly 20
// ASCII characters out of A–Z a–z 0–9 + /. It is not a binary digest.
type InfoHash string

// InfoHashOf returns the info hash of a stream swarm id: the standard base64
// text of 15 digest bytes. An unknown generation gives an empty info hash.
// Source: p2p-media-loader-core 2.2.2 and 2.3.1.
func InfoHashOf(g Generation, streamSwarmID string) InfoHash {
	s := schemeOf(g)
	if s == nil {
		return ""
	}
	return InfoHash(base64.StdEncoding.EncodeToString(s.digest([]byte(streamSwarmID))))
}
