// Package rendition takes part in the swarms of one rendition: it follows the playlist, decides with package schedule
// which segments to ask of the origin and of peers, announces what it holds, and serves the players that watch it.
//
// Ownership: the goroutine of Run owns a Rendition's state; everything else posts work to its mailbox. A rendition knows
// neither the engine nor other renditions: what all of them use is in Shared.
package rendition
