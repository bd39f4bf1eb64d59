// Package plan turns a stream and what is known of its cluster into the children that the stream
// should have, as apply configurations, and into the addresses that its status states. It is pure: the
// same stream and facts always make the same plan, byte for byte, and neither is changed.
//
// It owns what a child looks like and in what order children are applied. It knows nothing of how they
// are applied, watched or pruned, and it never sees a Secret's content.
package plan
