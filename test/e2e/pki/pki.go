// Package pki is a certificate authority for tests: it certifies the servers of one run, and only the clients of
// that run trust it.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

const validity = 24 * time.Hour

// Authority certifies servers.
type Authority struct {
	// PEM is the authority's own certificate, which clients are told to trust.
	PEM []byte

	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	serial      int64
}

// Pair is a server's certificate with the authority's after it, and its key, both PEM.
type Pair struct {
	Certificate, Key []byte
}

// New makes an authority.
func New(name string) (*Authority, error) {
	a := &Authority{serial: 1}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: name},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	var der []byte
	var err error
	if der, a.key, err = sign(template, nil, nil); err != nil {
		return nil, fmt.Errorf("making authority %s: %w", name, err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("making authority %s: %w", name, err)
	}
	a.PEM = encode("CERTIFICATE", der)
	return a, nil
}

// Issue certifies a server by all the names and addresses that clients may use for it.
func (a *Authority) Issue(hosts ...string) (Pair, error) {
	a.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: "p2pstream test server"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	der, key, err := sign(template, a.certificate, a.key)
	if err != nil {
		return Pair{}, fmt.Errorf("certifying %v: %w", hosts, err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("certifying %v: %w", hosts, err)
	}
	return Pair{Certificate: append(encode("CERTIFICATE", der), a.PEM...), Key: encode("PRIVATE KEY", raw)}, nil
}

// TLS is the pair as servers in this process use it.
func (p Pair) TLS() (tls.Certificate, error) {
	c, err := tls.X509KeyPair(p.Certificate, p.Key)
	if err != nil {
		return c, fmt.Errorf("reading certificate: %w", err)
	}
	return c, nil
}

// sign makes a key and certifies it; without a parent it certifies itself.
func sign(template, parent *x509.Certificate, by *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making key: %w", err)
	}
	if parent == nil {
		parent, by = template, key
	}
	template.NotBefore = time.Now().Add(-time.Hour) // clocks differ
	template.NotAfter = template.NotBefore.Add(validity)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		return nil, nil, fmt.Errorf("signing: %w", err)
	}
	return der, key, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
