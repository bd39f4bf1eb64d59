// Package integrity owns the hash lists of segments: what seeders say that the origin's bytes are, how a tracker joins
// what several of them say, and the signed answers that viewers check segments from peers with. It is pure: time is an
// argument, it uses no clock, socket or goroutine, and its types are not safe for concurrent use.
//
// A hash belongs to the pair that peers exchange bytes under: the info hash of a swarm, and the external id of a segment.
// The info hash already covers the swarm id with its epoch, the identity of the rendition and the generation. A page can
// name both for the URL that it is asked to check, whatever URL, host or signature the seeder fetched from.
package integrity
