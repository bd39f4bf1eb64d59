// Package oci writes container images as OCI archives: the form that containerd, Docker, Podman and skopeo
// load without a registry. The same input gives the same bytes. It is a Go module of its own without
// dependencies, so that the tools and the test cluster, which are modules of their own, can share it.
package oci
