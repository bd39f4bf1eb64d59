// Package upload sends held segments to peers: an Uploader for each connection, and an Uplink that all of a process
// share. It knows neither sessions nor renditions.
package upload
