// Package image makes container images out of static binaries and writes them as OCI archives, the form
// that a cluster without a registry loads.
package image
