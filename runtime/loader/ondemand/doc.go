// Package ondemand serves players that fetch playlists and segments from an engine instead of the origin: the bytes of
// a segment while they arrive, the players' positions and open requests, and playlists as fresh as a player asks for.
package ondemand
