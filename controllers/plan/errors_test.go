package plan

import (
	"errors"
	"strings"
	"testing"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

func TestInvalidStreams(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*v1.P2PStream){
		"metadata.name":                      func(s *v1.P2PStream) { s.Name = "2026.town-hall" },
		"spec.source.url":                    func(s *v1.P2PStream) { s.Spec.Source.URL = "master.m3u8" },
		"spec.tracker.replicas":              func(s *v1.P2PStream) { s.Spec.Tracker.Replicas = new(int32(2)) },
		"spec.tracker.exposure.addresses[0]": func(s *v1.P2PStream) { s.Spec.Tracker.Exposure.Addresses = []v1.IPAddress{"node-1"} },
		"spec.seeders.uplink":                func(s *v1.P2PStream) { s.Spec.Seeders.Uplink = "fast" },
	} {
		stream, facts := read(t, "nodeport-after")
		change(stream)
		_, err := Make(stream, facts)
		var invalid *InvalidError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("Make = %v, want an InvalidError that names %s", err, want)
		}
	}
}

func TestUnusableFacts(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*v1.P2PStream, *Facts){
		"image":     func(_ *v1.P2PStream, f *Facts) { f.Image = "" },
		"namespace": func(s *v1.P2PStream, _ *Facts) { s.Namespace = "" },
		"no port":   func(_ *v1.P2PStream, f *Facts) { f.Observed["town-hall-stun"] = exposure.Observation{NodePort: 70000} },
	} {
		stream, facts := read(t, "nodeport-after")
		change(stream, &facts)
		_, err := Make(stream, facts)
		var invalid *InvalidError
		if err == nil || errors.As(err, &invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("Make = %v, want an error about %s that the spec is not to blame for", err, want)
		}
	}
}

// TestProgramsErrorsNameTheResource: users know the resource, not the configuration of a program.
func TestProgramsErrorsNameTheResource(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`config.allowedOrigins[2]: "x" is no origin`: `spec.tracker.allowedOrigins[2]: "x" is no origin`,
		`config.source: "x" is no URL: y`:            `spec.source.seederURL: "x" is no URL: y`,
		`config.shards: -1 is outside 1 to 64`:       `making configuration of the tracker: config.shards: -1 is outside 1 to 64`,
	} {
		if got := invalidConfig(ComponentTracker, errors.New(in)).Error(); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
