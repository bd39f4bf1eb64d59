// Package certmanager is what the operator writes and reads of a Certificate of cert-manager (cert-manager.io/v1): the resource by
// which it is asked for a certificate, and what it says about it. The module of cert-manager has these types, too, but with all that its
// issuers need. test/lab/certmanager has the schema of the real resource, against which tests apply what is planned.
//
// The package is pure.
package certmanager
