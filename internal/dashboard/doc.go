// Package dashboard serves what dashboards read: the past of one stream, or of all streams of a tracker or of a cluster, and what
// is known of each of these now. What is remembered is package history's.
package dashboard
