// Package diagnose finds out why the pods of a stream wait: from their statuses, from the conditions of
// the Deployment that should make them, and from the events about them. It is pure; its caller
// reads the cluster.
//
// It owns the wording: each problem has a reason of api/v1, names the object and, where the spec is to
// blame, the field, and ends with what to do next.
package diagnose
