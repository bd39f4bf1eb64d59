package tracker

import (
	"crypto/tls"
	"crypto/x509"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// certificateEnd is when the first certificate of a chain ends; zero: none of them can be read.
func certificateEnd(c *tls.Certificate) (end time.Time) {
	for _, der := range c.Certificate {
		parsed, err := x509.ParseCertificate(der)
		if err == nil && (end.IsZero() || parsed.NotAfter.Before(end)) {
			end = parsed.NotAfter
		}
	}
	return end
}

// newCertificateMetric tells when the certificate that is served ends. current returns it; it is read at each scrape, since
// certificates are renewed while the tracker runs.
func newCertificateMetric(current func() (*tls.Certificate, error)) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "p2pstream_tracker_certificate_expiration_timestamp_seconds",
		Help: "Unix time at which the first certificate of the served chain ends."}, func() float64 {
		c, err := current()
		if err != nil {
			return 0
		}
		end := certificateEnd(c)
		if end.IsZero() {
			return 0
		}
		return float64(end.Unix())
	})
}
