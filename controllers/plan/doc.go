// Package plan turns a stream and the known facts of its cluster into the children that the stream should
// have, as apply configurations, and into the endpoints for its status. It is pure: the same stream and facts
// always give the same plan, byte for byte, and neither is changed.
//
// It owns the content of children and the order in which they are applied. How viewers reach a component is
// decided by package exposure. It does not know how children are applied, watched or pruned, and it never sees
// the content of a Secret.
package plan
