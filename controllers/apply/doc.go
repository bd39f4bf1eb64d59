// Package apply brings the children of one stream to its plan, by server-side apply, and deletes children that
// are in no plan.
//
// It owns the memory of earlier applies, so that nothing is sent while neither side has changed, and the
// explanation of the API server's refusals: each becomes a problem that names the object, the field of the
// spec where there is one, and the next step. What package exposure made, its strategy explains. A refused object
// is retried with back-off, up to once a minute, and does not delay the other objects of the stream.
package apply
