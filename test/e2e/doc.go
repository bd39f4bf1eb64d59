// Package e2e holds the operator and its programs to their promises on a real cluster: streams are applied
// with kubectl, browsers and viewers sit in offices of their own, and pods, origins and nodes go away under
// them. It holds specs only; its folders are their tools.
//
// The specs are built with the tag e2e, so that nobody brings up a cluster without meaning to. They need
// root and what `make e2e` builds. P2PSTREAM_E2E_KEEP=1 leaves the cluster up; P2PSTREAM_E2E_CLUSTER=NAME
// uses one that is up already.
package e2e
