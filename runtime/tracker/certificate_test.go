package tracker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

func certificateUntil(t *testing.T, end time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestTheFirstCertificateThatEndsCounts(t *testing.T) {
	t.Parallel()
	soon, late := time.Unix(1_900_000_000, 0), time.Unix(2_000_000_000, 0)
	for name, c := range map[string]struct {
		chain [][]byte
		err   error
		want  float64
	}{
		"one":            {[][]byte{certificateUntil(t, soon)}, nil, float64(soon.Unix())},
		"intermediate":   {[][]byte{certificateUntil(t, late), certificateUntil(t, soon)}, nil, float64(soon.Unix())},
		"unreadable":     {[][]byte{[]byte("no DER")}, nil, 0},
		"half of it":     {[][]byte{certificateUntil(t, late), []byte("no DER")}, nil, float64(late.Unix())},
		"no certificate": {nil, errors.New("no file"), 0},
	} {
		reg := prometheus.NewPedanticRegistry()
		reg.MustRegister(newCertificateMetric(func() (*tls.Certificate, error) { return &tls.Certificate{Certificate: c.chain}, c.err }))
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		if got := families[0].GetMetric()[0].GetGauge().GetValue(); got != c.want {
			t.Errorf("%s: ends at %.0f, want %.0f", name, got, c.want)
		}
	}
}

func TestATrackerWithTLSTellsTheEndOfItsCertificate(t *testing.T) {
	t.Parallel()
	const metric = "p2pstream_tracker_certificate_expiration_timestamp_seconds"
	cert, key := writeCertificate(t, t.TempDir(), "one.example")
	for _, cfg := range []Config{{}, {TLSCert: cert, TLSKey: key}} {
		reg := prometheus.NewRegistry()
		if _, err := New(cfg, nil, reg); err != nil {
			t.Fatal(err)
		}
		families, err := reg.Gather()
		told := slices.ContainsFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == metric })
		if want := cfg.TLSCert != ""; err != nil || told != want {
			t.Errorf("with the certificate %q its end is told: %t, want %t: %v", cfg.TLSCert, told, want, err)
		}
	}
}
