package plan

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

const mebi int64 = 1 << 20

// What a seeder's memory is for, beside its cache: an eighth of the cache for segments that are still being
// fetched or sent, a mebibyte for each peer, and the program itself.
const (
	seederPeerMemory = mebi
	seederBaseMemory = 96 * mebi
)

// resources of one container.
type resources struct{ requests, limits corev1.ResourceList }

// orDefault is what the spec gives, and if it gives nothing: a share of CPU without a limit, since a late
// segment costs more than a busy node, and memory with one.
func orDefault(given *v1.Resources, cpu string, memory, memoryLimit int64) resources {
	if given != nil {
		return resources{corev1.ResourceList(given.Requests), corev1.ResourceList(given.Limits)}
	}
	return resources{
		requests: corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse(cpu),
			corev1.ResourceMemory: *resource.NewQuantity(memory, resource.BinarySI),
		},
		limits: corev1.ResourceList{corev1.ResourceMemory: *resource.NewQuantity(memoryLimit, resource.BinarySI)},
	}
}

// seederResources set aside all that a seeder may use: a full cache is its normal state.
func (p *planner) seederResources() resources {
	spec := p.spec.Seeders
	cache := spec.CacheSize.Value()
	memory := cache + cache/8 + int64(*spec.MaxPeers)*seederPeerMemory + seederBaseMemory
	memory = (memory + mebi - 1) / mebi * mebi
	return orDefault(spec.Resources, "100m", memory, memory)
}

func (r resources) apply() *corev1ac.ResourceRequirementsApplyConfiguration {
	c := corev1ac.ResourceRequirements()
	if len(r.requests) > 0 {
		c.WithRequests(r.requests)
	}
	if len(r.limits) > 0 {
		c.WithLimits(r.limits)
	}
	return c
}

// env tells Go's collector about the memory limit. A tenth is left for what it does not count: sockets in
// the kernel and the program's own pages.
func (r resources) env() []*corev1ac.EnvVarApplyConfiguration {
	limit, ok := r.limits[corev1.ResourceMemory]
	if !ok {
		return nil
	}
	bytes := limit.Value()
	return []*corev1ac.EnvVarApplyConfiguration{
		corev1ac.EnvVar().WithName("GOMEMLIMIT").WithValue(strconv.FormatInt(bytes-bytes/10, 10)),
	}
}
