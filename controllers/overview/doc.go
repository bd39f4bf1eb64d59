// Package overview is the dashboard of all streams that an operator runs: it remembers what pollers read of their trackers, and
// shows it over HTTPS to those whom the cluster lets read it, by their tokens (TokenReview and SubjectAccessReview).
package overview
