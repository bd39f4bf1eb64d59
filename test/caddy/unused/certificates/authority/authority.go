// Package authority has the names by which Caddy asks the certificate authority of Smallstep, and no authority: certificates of
// the tests come from Secrets. The real one has half of the packages of a whole Caddy below it.
package authority

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"

	"github.com/smallstep/certificates/authority/provisioner"
	"github.com/smallstep/certificates/db"
)

// ErrAbsent is what everything here answers.
var ErrAbsent = errors.New("this Caddy is built without an authority of its own")

// Authority, Config, AuthConfig and Option are never looked at.
type (
	Authority  struct{}
	AuthConfig struct{}
	Config     struct{ AuthorityConfig *AuthConfig }
	Option     func(*Authority) error
)

func absent(*Authority) error { return ErrAbsent }

// WithConfig and the others are refused by NewEmbedded.
func WithConfig(*Config) Option                              { return absent }
func WithX509Signer(*x509.Certificate, crypto.Signer) Option { return absent }
func WithX509RootCerts(...*x509.Certificate) Option          { return absent }
func WithDatabase(db.AuthDB) Option                          { return absent }
func WithX509SignerFunc(func() ([]*x509.Certificate, crypto.Signer, error)) Option {
	return absent
}

// NewEmbedded makes no authority.
func NewEmbedded(...Option) (*Authority, error) { return nil, ErrAbsent }

// SignWithContext signs nothing.
func (*Authority) SignWithContext(context.Context, *x509.CertificateRequest, provisioner.SignOptions, ...provisioner.SignOption) ([]*x509.Certificate, error) {
	return nil, ErrAbsent
}
