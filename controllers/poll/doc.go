// Package poll asks trackers for their stats over HTTP. What comes back is another program's word: it is
// bounded in bytes and in time, redirects are not followed, and no proxy of the operator's surroundings
// is used for addresses inside the cluster.
package poll
