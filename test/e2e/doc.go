// Package e2e tests what the operator and its programs promise on a real cluster: streams are applied
// with kubectl, browsers and viewers run in offices, and pods, origins and nodes go away while they
// play. It contains specs only; its folders are their tools.
//
// Specs run beside each other in several processes on one cluster. Those that would change what another one
// asserts are marked Serial, or hold a lock (locks_test.go).
//
// P2PSTREAM_E2E_OFFICES=3m plays all cases of the offices for so long each, see `make offices`.
//
// The specs are built with the tag e2e, so that no cluster is brought up by accident. They need
// root and what `make e2e` builds. P2PSTREAM_E2E_KEEP=1 leaves the cluster up; P2PSTREAM_E2E_CLUSTER=NAME
// uses one that is up already.
package e2e
