// Package loader is the engine that seeders and viewers share. An Engine
// follows one stream: it loads the manifest, joins one swarm for each rendition
// and generation, and moves segments between the origin, its store and its
// peers as package schedule decides. Other programs can import it.
//
// The packages below know only what is below them:
//
//	loader → rendition → session → upload
//	                   → ondemand, fetch, playback
//	       each → mesh, store, schedule, manifest, wire, identity
//	       each → backoff, index, mailbox, ratelog, traffic, transit
//
// Ownership: one goroutine owns each rendition (package rendition); everything
// else posts work to it. A session (package session) has what belongs to one
// connection and runs on that connection's reader.
package loader
