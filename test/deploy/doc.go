// Package deploy holds the tests of what is installed into a cluster: config/ as kustomize builds it,
// charts/p2pstream as Helm renders it, judged by Kubernetes' own code. No cluster is needed. It is a
// module of its own, because Helm and kustomize bring more code than all other tools together; it
// also pins the Helm that is built into bin/.
package deploy
