// Package session is one connection to a peer: what the peer announces, the request that runs to it, the uploads that
// it asked for, and how often it failed to deliver.
//
// The connection's reader and the owner of a rendition use a Session. It knows no rendition: a request's end is reported
// through Request.Done, a new announcement through Config.Announced.
package session
