// Package deploy tests what is installed into a cluster: config/ as kustomize builds it and
// charts/p2pstream as Helm renders it, checked by Kubernetes' own code. No cluster is needed. It is a
// separate module, because Helm and kustomize have more dependencies than all other tools together; it
// also pins the version of Helm that is built into bin/.
package deploy
