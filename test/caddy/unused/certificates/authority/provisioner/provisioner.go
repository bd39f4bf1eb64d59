// Package provisioner has the names of package authority's arguments.
package provisioner

import "crypto/x509"

// What Caddy hands to an authority.
type (
	SignOptions         struct{}
	SignOption          any
	CertificateModifier interface {
		Modify(cert *x509.Certificate, opts SignOptions) error
	}
)
