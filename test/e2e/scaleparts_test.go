//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

func haveNetworkReady() types.GomegaMatcher {
	return WithTransform(func(s v1.P2PNetworkStatus) bool { return meta.IsStatusConditionTrue(s.Conditions, v1.ConditionReady) }, BeTrue())
}

// attached is how many streams a network serves.
func attached(ctx context.Context, network *v1.P2PNetwork) (int32, error) {
	status, err := networkStatus(ctx, network)
	if err != nil || status.Streams == nil {
		return 0, err
	}
	return status.Streams.Attached, nil
}

// loadNext gives the nodes the program under another name, as a newer version has. It returns at once; the end is told by the channel.
func loadNext(ctx context.Context) <-chan error {
	GinkgoHelper()
	file := filepath.Join(GinkgoT().TempDir(), "next.tar")
	loaded := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it goes on in later nodes
	DeferCleanup(cancel)
	go func() {
		out, err := exec.CommandContext(ctx, built["cluster"], "image", built["p2pstream"], "--tag", nextImage, "--out", file).CombinedOutput()
		if err != nil {
			loaded <- fmt.Errorf("making image: %w: %s", err, out)
			return
		}
		loaded <- lab.Load(ctx, file)
	}()
	return loaded
}

// upgradeOperator installs the operator's next version by a kustomization of one's own, as the docs say.
func upgradeOperator(ctx context.Context) {
	GinkgoHelper()
	dir, err := filepath.EvalSymlinks(GinkgoT().TempDir())
	Expect(err).NotTo(HaveOccurred())
	base, err := filepath.Rel(dir, inRepo("config", "default"))
	Expect(err).NotTo(HaveOccurred())
	name, tag, _ := strings.Cut(nextImage, ":")
	text := fmt.Sprintf("resources: [%s]\nimages:\n- {name: %s, newTag: %s}\n", base, name, tag)
	Expect(os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600)).To(Succeed())
	_, err = k8s.Kubectl(ctx, "apply", "--server-side", "-k", dir)
	Expect(err).NotTo(HaveOccurred())
}

// seederImage is what the seeders of a stream are to run.
func seederImage(ctx context.Context, s *v1.P2PStream) (string, error) {
	var set appsv1.StatefulSet
	if err := k8s.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: s.Name + "-seeder"}, &set); err != nil {
		return "", err
	}
	return set.Spec.Template.Spec.Containers[0].Image, nil
}

// upgrades is what status says of the upgrades of all streams, version by version.
type upgrades struct {
	mu      sync.Mutex
	running map[string]bool
	order   []string // in which they began
	most    int      // that ran at a time
	first   time.Time
	last    time.Time // when one has ended
}

// follow notes every version of every stream until stop is called.
func (u *upgrades) follow(ctx context.Context) (stop func()) {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(ctx)
	DeferCleanup(cancel)
	done := make(chan error, 1)
	go func() {
		done <- k8s.Follow(ctx, &v1.P2PStreamList{}, func(o client.Object) { u.see(o.(*v1.P2PStream)) })
	}()
	return func() {
		GinkgoHelper()
		cancel()
		Expect(<-done).To(Succeed())
	}
}

func (u *upgrades) see(s *v1.P2PStream) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := s.Status.Upgrade != nil && s.Status.Upgrade.Phase == v1.UpgradeRunning
	switch {
	case now && !u.running[s.Name]:
		if u.first.IsZero() {
			u.first = time.Now()
		}
		u.order = append(u.order, s.Name)
		u.running[s.Name] = true
	case !now && u.running[s.Name]:
		u.last = time.Now()
		delete(u.running, s.Name)
	}
	u.most = max(u.most, len(u.running))
}

// ended reports whether a stream was upgraded, and none is any more.
func (u *upgrades) ended(name string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Contains(u.order, name) && len(u.running) == 0
}

func (u *upgrades) seen() (order []string, most int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.order), u.most
}

// length is the time from the begin of the first to the end of the last.
func (u *upgrades) length() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last.Sub(u.first)
}

// writes are the calls of the operator that change something, by the verbs of HTTP.
var writes = []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// settleWithin is how long the operator may take to settle: two minutes were seen with 200 streams.
const settleWithin = 6 * time.Minute

// written is how often the operator has changed something.
func (f figures) written() (all float64) {
	for _, verb := range writes {
		all += f.of("rest_client_requests_total", "method", verb)
	}
	return all
}

// awaitSettled waits until the operator writes no more than its Lease, every two seconds: status of new streams goes on changing for
// a while after they are ready.
func awaitSettled(ctx context.Context) {
	GinkgoHelper()
	const window, lease = 20 * time.Second, 2 * time.Second
	last := math.Inf(-1) // the first reading is no difference
	Eventually(ctx, func() float64 {
		before := last
		last = operatorMetrics(ctx).written()
		return last - before
	}).WithTimeout(settleWithin).WithPolling(window).Should(BeNumerically("<=", float64(window/lease)+3), "writes of the operator within %s", window)
}

// watchIdle prints what the operator uses, and how much it writes, while no one does anything.
func watchIdle(ctx context.Context, length time.Duration) {
	GinkgoHelper()
	timed("the operator to write no more than its Lease", func() { awaitSettled(ctx) })
	before, begun := operatorMetrics(ctx), time.Now()
	Eventually(ctx, func() time.Duration { return time.Since(begun) }).WithTimeout(length + time.Minute).WithPolling(time.Second).Should(BeNumerically(">=", length))
	after, minutes := operatorMetrics(ctx), time.Since(begun).Minutes()
	all := 0.0
	for _, verb := range writes {
		n := after.of("rest_client_requests_total", "method", verb) - before.of("rest_client_requests_total", "method", verb)
		note("idle: %s %.1f a minute", verb, n/minutes)
		all += n
	}
	const mib = 1 << 20
	note("idle for %.0f minutes: %.1f writes a minute, %.3f cores; memory %.0f MiB, of which heap in use %.0f MiB; %.0f goroutines", minutes, all/minutes,
		(after.of("process_cpu_seconds_total", "", "")-before.of("process_cpu_seconds_total", "", ""))/60/minutes,
		after.of("process_resident_memory_bytes", "", "")/mib, after.of("go_memstats_heap_inuse_bytes", "", "")/mib, after.of("go_goroutines", "", ""))
}

// figures are metrics as text.
type figures string

// operatorMetrics are those of the operator's pod.
func operatorMetrics(ctx context.Context) figures {
	GinkgoHelper()
	pod := operator.pod(ctx)
	text, err := k8s.Kubectl(ctx, "get", "--raw", "/api/v1/namespaces/"+pod.Namespace+"/pods/"+pod.Name+":8080/proxy/metrics")
	Expect(err).NotTo(HaveOccurred())
	return figures(text)
}

// of adds up the samples of a metric that have a label.
func (f figures) of(name, label, value string) (sum float64) {
	for line := range strings.Lines(string(f)) {
		rest, is := strings.CutPrefix(line, name)
		if !is || (rest[0] != ' ' && rest[0] != '{') || (label != "" && !strings.Contains(rest, fmt.Sprintf("%s=%q", label, value))) {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(rest[strings.LastIndexByte(strings.TrimSpace(rest), ' ')+1:]), 64)
		Expect(err).NotTo(HaveOccurred(), line)
		sum += n
	}
	return sum
}

// percentile of some durations: the least that so many percent of them do not exceed.
func percentile(of []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[(len(sorted)*percent+99)/100-1]
}

// spread is some durations as text.
func spread(of []time.Duration) string {
	return fmt.Sprintf("%.2f s in the median, %.2f s for 9 of 10, %.2f s at most, of %d", percentile(of, 50).Seconds(),
		percentile(of, 90).Seconds(), percentile(of, 100).Seconds(), len(of))
}
