// Package apply brings the children of one stream to what its plan says, by server-side apply, and takes
// away those that are in no plan.
//
// It owns what is remembered of earlier applies, so that nothing is sent while nothing has changed on
// either side, and the reading of the API server's refusals: each becomes a problem that names the
// object, the field of the spec where there is one, and the next step. A refusal is tried again by itself,
// ever more seldom up to once a minute, and it never keeps the other objects of the stream waiting.
package apply
