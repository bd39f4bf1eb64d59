// Package onecopy plays one live stream on a virtual clock: viewers and seeders that decide with the engine's own core
// (runtime/loader/core), on connections, an origin and playlists that are a simple model. It counts how many copies of a
// segment the origin gives, and how long players stall.
package onecopy
