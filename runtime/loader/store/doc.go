// Package store holds segments in memory: one copy of each for all generations
// and swarms, bounded in bytes, evicted in a stated order.
//
// The order is the rank that the owner of a segment gives it: the lowest rank
// goes first. A live rendition ranks by presentation time (the oldest goes
// first), a VOD one by last use (the least recently used goes first). A segment
// is immutable once put; readers that still hold its bytes keep them alive
// after its eviction.
package store
