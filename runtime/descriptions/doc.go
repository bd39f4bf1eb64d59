// Package descriptions owns what a tracker relays of session descriptions (SDP, RFC 8866). A peer that gets one sends
// connectivity checks to every address in it, so a description can make an audience send packets to a third party.
// Clean bounds its size and the number of candidates, and leaves out candidates that lead where no peer is. It is pure,
// and cheap enough for each offer that is announced.
package descriptions
