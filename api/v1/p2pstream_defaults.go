package v1

import (
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Defaults of fields that are left out. They are applied when the spec is read and never written into it, so
// that tools that compare the spec with its source see no difference.
const (
	DefaultSeederReplicas    int32 = 1
	DefaultSTUNReplicas      int32 = 1
	DefaultMaxPeers          int32 = 200
	DefaultTelemetryInterval       = 5 * time.Second
	DefaultCacheSize               = "512Mi"
)

// WithDefaults returns a copy of the spec in which every field that has a default is set. Exposures and
// resources that are unset stay unset, because that has its own meaning.
func (s *P2PStreamSpec) WithDefaults() P2PStreamSpec {
	d := *s.DeepCopy()
	d.Tracker = orNew(d.Tracker)
	d.Tracker.Replicas = orValue(d.Tracker.Replicas, int32(1))
	d.STUN = orNew(d.STUN)
	d.STUN.Enabled = orValue(d.STUN.Enabled, true)
	d.STUN.Replicas = orValue(d.STUN.Replicas, DefaultSTUNReplicas)
	d.Seeders = orNew(d.Seeders)
	d.Seeders.Replicas = orValue(d.Seeders.Replicas, DefaultSeederReplicas)
	d.Seeders.MaxPeers = orValue(d.Seeders.MaxPeers, DefaultMaxPeers)
	d.Seeders.Scale = d.Seeders.Scale.withDefaults(*d.Seeders.MaxPeers)
	if d.Seeders.SuperSeeding == "" {
		d.Seeders.SuperSeeding = SuperSeedingAuto
	}
	d.Seeders.CacheSize = orValue(d.Seeders.CacheSize, resource.MustParse(DefaultCacheSize))
	d.Viewers = orNew(d.Viewers)
	d.Viewers.P2P = orValue(d.Viewers.P2P, true)
	d.Viewers.Upload = orValue(d.Viewers.Upload, true)
	d.Telemetry = orNew(d.Telemetry)
	d.Telemetry.Interval = orValue(d.Telemetry.Interval, metav1.Duration{Duration: DefaultTelemetryInterval})
	if d.Source.SeederURL == "" {
		d.Source.SeederURL = d.Source.URL
	}
	return d
}

func orNew[T any](p *T) *T {
	if p == nil {
		return new(T)
	}
	return p
}

func orValue[T any](p *T, value T) *T {
	if p == nil {
		return &value
	}
	return p
}
