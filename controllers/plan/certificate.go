package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/certmanager"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// Issued is what cert-manager says of a Certificate.
type Issued struct {
	// Ready: its Secret holds a certificate as the spec asks for.
	Ready bool `json:"ready,omitempty"`
	// Message is why not, as one line of text; empty: it has said nothing.
	Message string `json:"message,omitempty"`
}

// CertificateName names the Certificate of a tracker.
func CertificateName(stream string) string { return TrackerName(stream) }

// CertificateSecret is the name of the Secret that a stream, or what Stand makes of a network, has from cert-manager; empty: it asks for
// none.
func CertificateSecret(stream *v1.P2PStream) string {
	t := stream.Spec.Tracker
	if t == nil || t.Exposure == nil || t.Exposure.Certificate == nil {
		return ""
	}
	e := t.Exposure
	given := e.TLSSecretName
	if e.Type == v1.ExposureIngress {
		given = ""
		if e.Ingress != nil {
			given = e.Ingress.TLSSecretName
		}
	}
	return cmp.Or(string(given), TrackerName(stream.Name)+"-tls")
}

// nameCertificate writes the name of that Secret into the spec, from which strategies and mounts have it.
func (p *planner) nameCertificate() {
	secret := v1.SecretName(CertificateSecret(p.stream))
	if secret == "" {
		return
	}
	e := p.spec.Tracker.Exposure // of a copy: see WithDefaults
	if e.Type != v1.ExposureIngress {
		e.TLSSecretName = secret
		return
	}
	if e.Ingress == nil {
		e.Ingress = &v1.IngressSettings{}
	}
	e.Ingress.TLSSecretName = secret
}

// certificate adds the Certificate that the tracker's exposure asks for, where the cluster has such.
func (p *planner) certificate() {
	secret := CertificateSecret(p.stream)
	if secret == "" || !p.facts.Kinds.Certificate {
		return
	}
	e := p.spec.Tracker.Exposure
	ref := e.Certificate.IssuerRef
	spec := certmanager.CertificateSpec{SecretName: secret, IssuerRef: certmanager.IssuerReference{
		// With the defaults, which cert-manager's webhook adds, so that what is stored is what was sent.
		Name: string(ref.Name), Kind: cmp.Or(string(ref.Kind), v1.DefaultIssuerKind), Group: cmp.Or(string(ref.Group), v1.DefaultIssuerGroup)}}
	if _, err := netip.ParseAddr(string(e.Host)); err == nil {
		spec.IPAddresses = []string{string(e.Host)}
	} else {
		spec.DNSNames = []string{strings.ToLower(string(e.Host))}
	}
	p.services = append(p.services, child{Object: certmanager.New(CertificateName(p.stream.Name), p.stream.Namespace,
		p.labels(ComponentTracker), p.owner(), spec)})
}

// CertificateWarning says why a certificate that the spec asks cert-manager for is not there; nil when it is, or when none is asked
// for. While a pod waits for its Secret, it is the problem of that pod.
func CertificateWarning(stream *v1.P2PStream, kinds exposure.Kinds, issued *Issued) *Warning {
	secret := CertificateSecret(stream)
	if secret == "" {
		return nil
	}
	const field = "spec.tracker.exposure.certificate"
	e := stream.Spec.Tracker.Exposure
	// A tracker that serves has the Secret mounted. Whether an ingress controller has it is not known: the operator reads no Secrets.
	w := &Warning{Condition: v1.ConditionTrackerReady, Unreachable: e.Type == v1.ExposureIngress}
	name := CertificateName(stream.Name)
	see := fmt.Sprintf("See: kubectl describe certificate %s --namespace %s", name, stream.Namespace)
	switch {
	case !kinds.Certificate:
		w.Reason = v1.ReasonCertManagerMissing
		w.Message = fmt.Sprintf("the cluster has no kind Certificate of %s, or the operator's role does not let it manage them, so nothing makes the certificate of %s in Secret %q: "+
			"install cert-manager and bind the role; the operator goes on by itself within a minute. Or remove %s and make the Secret yourself", certmanager.GroupVersion, e.Host, secret, field)
	case issued == nil || !issued.Ready && issued.Message == "":
		w.Reason = v1.ReasonCertificateNotReady
		w.Message = fmt.Sprintf("cert-manager has not said anything about Certificate %s, which makes Secret %q: it may not run, or has just begun. %s", name, secret, see)
	case !issued.Ready:
		w.Reason = v1.ReasonCertificateNotReady
		w.Message = fmt.Sprintf("cert-manager has no valid certificate of %s for Secret %q: %s. Check issuer %s of %s.issuerRef. %s",
			e.Host, secret, strings.TrimRight(issued.Message, ". "), e.Certificate.IssuerRef.Name, field, see)
	default:
		return nil
	}
	return w
}
