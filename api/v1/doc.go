// Package v1 is the API of p2pstream: the P2PStream resource of group p2pstream.dev, version v1, its
// conditions and reasons, the defaults behind fields that were left out, and the reading of a
// manifest from a file where there is no cluster. It knows nothing about how a stream is run.
//
// +kubebuilder:object:generate=true
// +groupName=p2pstream.dev
package v1
