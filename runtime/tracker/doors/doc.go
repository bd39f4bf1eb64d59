// Package doors decides which web pages may talk to a tracker, from the Origin and Host headers of their requests.
package doors
