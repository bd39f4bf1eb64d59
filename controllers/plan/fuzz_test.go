package plan

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// FuzzMake plans streams from arbitrary YAML: every valid stream can be planned with any facts, and the names of all
// objects are valid.
func FuzzMake(f *testing.F) {
	ports := []uint16{0, 30000, 32767}
	for i, name := range cases(f) {
		raw, err := os.ReadFile(filepath.Join("testdata", name, "stream.yaml"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, "10.0.0.1", ports[i%3], ports[(i+1)%3], uint8(i), i%2 == 0, "ws://10.0.0.1:30000/announce")
	}
	f.Add([]byte("apiVersion: p2pstream.dev/v1\nkind: P2PStream\nmetadata: {name: a, namespace: b}\nspec: {source: {url: 'http://o:99999/m?a#b'}, tracker: {allowedOrigins: ['https://[::1]:x']}}"),
		"not an address", uint16(1), uint16(65535), uint8(200), true, "\x00")
	f.Fuzz(func(t *testing.T, raw []byte, address string, trackerPort, seederPort uint16, pods uint8, ready bool, announce string) {
		stream, err := v1.Load(bytes.NewReader(raw))
		if err != nil {
			return
		}
		stream.Namespace = "media"
		facts := Facts{
			Image: "p2pstream", STUNReady: ready, SeederPods: int32(pods % 70),
			Observed:  assigned(map[string]int32{TrackerName(stream.Name): int32(trackerPort), SeederServiceName(stream.Name, 0): int32(seederPort)}),
			Nodes:     []Node{{Name: "n", Addresses: []string{address}, STUN: ready, Tracker: ready, STUNStarting: !ready}},
			Endpoints: &v1.EndpointsStatus{Announce: announce, STUN: []string{announce}},
		}
		p, err := Make(stream, facts)
		if err != nil {
			t.Fatalf("Validate accepts what Make refuses: %v", err)
		}
		for _, o := range p.Objects {
			for _, problem := range validation.IsDNS1035Label(o.Name) {
				t.Errorf("%s %s: %s", o.Kind, o.Name, problem)
			}
		}
		if strings.Contains(p.Endpoints.Announce, "::") && !strings.Contains(p.Endpoints.Announce, "[") {
			t.Errorf("announce %s: an IPv6 address without brackets", p.Endpoints.Announce)
		}
	})
}

// FuzzMakeFields sets single fields, which mutated YAML seldom reaches: no program may be stricter than the rules of the
// resource.
func FuzzMakeFields(f *testing.F) {
	f.Add("https://o.example/m.m3u8", "", "", "192.0.2.1", "https://intranet.example.com", "id", "720p", "500Mbit", int64(1<<30), int32(200))
	f.Add("http://[2001:db8::1]:80/m?a=1#b", "http://u:p@o/%2f", "2001:db8::1", "2001:db8::1", "http://[::1]:8080", "a b", "é", "1000kbit", int64(16<<20), int32(1))
	f.Add("http://o:99999/", "HTTP://o", "a.b-c", "10.0.0.1", "https://a:b", "\x00", "\"", "999Gbit", int64(64<<30), int32(5000))
	f.Add("http://[fe80::1%25eth0]/m", "http://o\u00a0/", "1.2.3.4.5", "::ffff:10.0.0.1", "https://a%zz", "", "-", "", int64(0), int32(-1))
	f.Fuzz(func(t *testing.T, source, seederURL, host, address, origin, swarm, rendition, uplink string, cache int64, maxPeers int32) {
		exposure := v1.TrackerExposure{Type: v1.ExposureNodePort, Host: v1.Host(host), Addresses: []v1.IPAddress{v1.IPAddress(address)}}
		stream := &v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: "media"}, Spec: v1.P2PStreamSpec{
			Source:  v1.SourceSpec{URL: v1.URL(source), SeederURL: v1.URL(seederURL)},
			SwarmID: swarm,
			Tracker: &v1.TrackerSpec{Exposure: &exposure, AllowedOrigins: []v1.WebOrigin{v1.WebOrigin(origin)}},
			STUN: &v1.STUNSpec{Exposure: &v1.STUNExposure{Type: v1.ExposureNodePort, Host: exposure.Host,
				Addresses: exposure.Addresses, NodePort: new(v1.NodePort(30478))}},
			Seeders: &v1.SeedersSpec{
				Renditions: []string{rendition}, Uplink: v1.BitRate(uplink), MaxPeers: &maxPeers,
				CacheSize: resource.NewQuantity(cache, resource.BinarySI),
				Exposure:  &v1.SeederExposure{Type: v1.ExposureNodePort, Addresses: exposure.Addresses},
			},
		}}
		if len(stream.Validate()) > 0 {
			return
		}
		facts := Facts{Image: "p2pstream", STUNReady: true, Observed: assigned(map[string]int32{"a-tracker": 30080, "a-seeder-0": 30100})}
		p, err := Make(stream, facts)
		if err != nil {
			t.Fatalf("Validate accepts what Make refuses: %v", err)
		}
		if p.Endpoints.Announce == "" || len(p.Endpoints.STUN) != 1 || len(p.Pending) > 0 {
			t.Errorf("endpoints %+v, pending %v", p.Endpoints, p.Pending)
		}
	})
}
