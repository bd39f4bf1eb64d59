// Package hashes carries the hash lists of package integrity: from a seeder to its trackers, and from a tracker to a
// viewer that checks segments from peers with them.
package hashes
