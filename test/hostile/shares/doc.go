// Package shares floods one stream of a tracker that serves two, with thousands of sockets from as many addresses, while an
// audience comes to the other one and plays it.
package shares
