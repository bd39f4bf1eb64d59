package plan

import (
	"slices"
	"strings"
	"testing"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/certmanager"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// certificates of a plan.
func certificates(t *testing.T, p Plan) (all []*certmanager.Certificate) {
	t.Helper()
	for _, o := range p.Objects {
		if c, is := object(t, o).(*certmanager.Certificate); is {
			all = append(all, c)
		}
	}
	return all
}

// TestCertificateAndItsSecretAgree: what cert-manager writes is what the tracker or its Ingress reads, for every exposure.
func TestCertificateAndItsSecretAgree(t *testing.T) {
	t.Parallel()
	parent := &v1.GatewaySettings{ParentRefs: []v1.GatewayReference{{Name: "public"}}}
	for name, e := range map[string]v1.TrackerExposure{
		"its own proxy":      {Type: v1.ExposureClusterIP, Host: "p2p.example.com"},
		"node port":          {Type: v1.ExposureNodePort, Host: "p2p.example.com", NodePort: new(v1.NodePort(30443))},
		"load balancer":      {Type: v1.ExposureLoadBalancer, Host: "p2p.example.com"},
		"gateway":            {Type: v1.ExposureGateway, Host: "p2p.example.com", Gateway: parent},
		"ingress":            {Type: v1.ExposureIngress, Host: "p2p.example.com"},
		"ingress, named":     {Type: v1.ExposureIngress, Host: "p2p.example.com", Ingress: &v1.IngressSettings{TLSSecretName: "named"}},
		"node port, named":   {Type: v1.ExposureNodePort, Host: "p2p.example.com", NodePort: new(v1.NodePort(30443)), TLSSecretName: "named"},
		"ingress, with path": {Type: v1.ExposureIngress, Host: "p2p.example.com", Path: "/town-hall"},
	} {
		e.Certificate = &v1.CertificateSettings{IssuerRef: v1.IssuerReference{Name: "corporate"}}
		stream := &v1.P2PStream{Spec: v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "http://o.example.com/m.m3u8"}, Tracker: &v1.TrackerSpec{Exposure: &e}}}
		stream.Name, stream.Namespace, stream.UID = "live", "media", "u"
		p, err := Make(stream, Facts{Image: "i", Kinds: exposure.Kinds{TLSRoute: true, Certificate: true}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		made := certificates(t, p)
		if len(made) != 1 {
			t.Fatalf("%s: %d Certificates", name, len(made))
		}
		secret := "live-tracker-tls"
		if strings.HasSuffix(name, "named") {
			secret = "named"
		}
		if c := made[0]; c.Name != "live-tracker" || c.Spec.SecretName != secret || !slices.Equal(c.Spec.DNSNames, []string{"p2p.example.com"}) {
			t.Errorf("%s: %s: %+v", name, c.Name, c.Spec)
		}
		reads, kinds := 0, map[string]int{}
		for _, o := range p.Objects {
			kinds[o.Kind]++
			raw := text(t, Plan{Objects: []Object{o}})
			reads += strings.Count(raw, "secretName: "+secret+"\n")
		}
		if reads != 2 { // the Certificate, and the pod or the Ingress
			t.Errorf("%s: Secret %s is named %d times", name, secret, reads)
		}
		if e.Type == v1.ExposureGateway && kinds["TLSRoute"] != 1 {
			t.Errorf("%s: %v", name, kinds)
		}
		if !strings.HasPrefix(p.Endpoints.Announce, "wss://p2p.example.com") {
			t.Errorf("%s: viewers are given %s", name, p.Endpoints.Announce)
		}
	}
}

// TestCertificateOfNetwork: it belongs to the network, and streams on it have none.
func TestCertificateOfNetwork(t *testing.T) {
	t.Parallel()
	n := &v1.P2PNetwork{Spec: v1.P2PNetworkSpec{Tracker: &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureIngress, Host: "ecdn.example.com",
		Certificate: &v1.CertificateSettings{IssuerRef: v1.IssuerReference{Name: "corporate", Kind: "ClusterIssuer"}}}}}}
	n.Name, n.Namespace, n.UID = "corp", "media", "n"
	facts := Facts{Image: "i", Kinds: exposure.Kinds{Certificate: true}}
	network, err := MakeNetwork(n, NetworkFacts{TableSecret: "s"}, facts)
	if err != nil {
		t.Fatal(err)
	}
	made := certificates(t, network)
	if len(made) != 1 {
		t.Fatalf("%d Certificates", len(made))
	}
	if c := made[0]; c.Name != "corp-network-tracker" || c.Spec.SecretName != "corp-network-tracker-tls" || c.Labels[LabelNetwork] != "corp" || c.Labels[LabelManagedBy] != ManagedBy ||
		len(c.OwnerReferences) != 1 || c.OwnerReferences[0].Kind != v1.NetworkKind || c.Spec.IssuerRef.Kind != "ClusterIssuer" || c.Spec.IssuerRef.Group != certmanager.Group {
		t.Errorf("%+v", c)
	}
	if len(network.Warnings) == 0 || network.Warnings[0].Reason != v1.ReasonCertificateNotReady || !network.Warnings[0].Unreachable {
		t.Errorf("warnings %+v", network.Warnings)
	}
	s := &v1.P2PStream{Spec: v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "http://o.example.com/m.m3u8"}, NetworkRef: &v1.NetworkReference{Name: "corp"}}}
	s.Name, s.Namespace, s.UID = "live", "media", "u"
	attached, _, err := Attach(s, n)
	if err != nil {
		t.Fatal(err)
	}
	facts.Network = &Attachment{Namespace: "media", Name: "corp", TokenSecret: "t", Served: true}
	own, err := Make(attached, facts)
	if err != nil {
		t.Fatal(err)
	}
	if len(certificates(t, own)) != 0 || slices.ContainsFunc(own.Warnings, func(w Warning) bool { return w.Reason == v1.ReasonCertificateNotReady }) {
		t.Errorf("a stream on the network: %+v, %+v", own.Objects, own.Warnings)
	}
	facts.Network.Served = false
	if own, err = Make(attached, facts); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(own.Pending, Ref{certmanager.Kind, "live-tracker"}) {
		t.Error("the certificate of a stream that moves is deleted before the network serves it")
	}
}
