// Package integrity has a peer pass on wrong media of the right length, in swarms where segments are checked with the hashes
// of seeders.
package integrity
