package plan

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	seederconfig "github.com/p2pstream/p2pstream/runtime/seeder/config"
)

const mebi int64 = 1 << 20

// resources of one container.
type resources struct{ requests, limits corev1.ResourceList }

// orDefault returns the given resources. Without any, it requests CPU without a limit, because a late segment costs
// more than a busy node, and memory with a limit. Memory is in bytes.
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

// seederResources request all memory that a seeder may use, because a full cache is its normal state.
func (p *planner) seederResources() resources {
	spec := p.spec.Seeders
	memory := seederconfig.Config{CacheBytes: spec.CacheSize.Value(), MaxPeers: int(*spec.MaxPeers)}.Memory()
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

// env sets the soft memory limit of the Go runtime to 90 % of the limit. The rest is for memory that the runtime does
// not count: socket buffers in the kernel and the program's own pages.
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
