// Package signaling owns the JSON messages of the WebTorrent tracker protocol, in both directions: what clients
// (browsers, seeders) send to a tracker and what a tracker sends back. It parses and builds bytes and nothing
// else: no clock, no network, no state. The announce path is a hand-written scanner, because a tracker only
// relays session descriptions: they are checked for being well-formed JSON text and copied as they came, never
// decoded. Binary identifiers travel as "binary strings", one character U+0000–U+00FF per byte, and offer ids
// keep the spelling that their sender gave them, character for character.
package signaling
