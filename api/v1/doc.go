// Package v1 is the API of p2pstream: the P2PStream resource of group p2pstream.dev, version v1, its
// conditions and reasons, the defaults of fields that are left out, and the loading of a manifest from a
// file without a cluster. It does not know how a stream is run.
//
// +kubebuilder:object:generate=true
// +groupName=p2pstream.dev
package v1
