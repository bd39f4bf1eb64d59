// Package loader is the engine that seeders and viewers share. An Engine
// follows one stream: it loads the manifest, joins one swarm for each rendition
// and generation, and moves segments between the origin, its store and its
// peers as package schedule decides. Other programs can import it.
//
// Ownership: one goroutine owns each rendition (rendition.go); everything else
// posts work to it. A session (session.go) holds what belongs to one
// connection and runs on that connection's reader.
package loader
