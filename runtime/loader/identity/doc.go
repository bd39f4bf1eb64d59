// Package identity owns the names that peers of p2p-media-loader must agree on
// without talking to each other: generations, swarm ids, info hashes, rendition
// ids and segment external ids, computed exactly as the browser library computes
// them (JavaScript number and string rules included). It is pure: no clock, no
// network, no goroutine, no global state; randomness is an argument.
package identity
