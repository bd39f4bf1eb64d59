package scale

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/manager"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/poll"
)

const (
	namespace = "media"
	image     = "localhost/p2pstream:test"
)

// cluster is a namespace of streams that all serve, in a cache like the operator's. Reads go to the cache and writes
// change nothing.
type cluster struct {
	client.Client // nil: what the loop does not need is not there
	cache         cache.Cache
	children      map[plan.Ref]client.Object
	streamWatch   *watch.FakeWatcher

	read   atomic.Int64 // objects that the cache returned, or looked at for a list
	writes atomic.Int64

	mu     sync.Mutex
	status map[string]v1.P2PStreamStatus // that were written, by stream
}

// newCluster fills a cache with streams and their children and pods.
func newCluster(tb testing.TB, streams int) *cluster {
	tb.Helper()
	c := &cluster{children: map[plan.Ref]client.Object{}, status: map[string]v1.P2PStreamStatus{}, streamWatch: watch.NewFakeWithChanSize(streams, false)}
	scheme, err := manager.Scheme()
	if err != nil {
		tb.Fatal(err)
	}
	stored := map[reflect.Type][]runtime.Object{}
	add := func(o client.Object) { stored[reflect.TypeOf(o)] = append(stored[reflect.TypeOf(o)], o) }
	for i := range streams {
		stream := newStream(i)
		add(stream)
		for _, o := range c.childrenOf(tb, scheme, stream) {
			add(o)
		}
		for component, name := range map[string]string{plan.ComponentTracker: "-tracker-x-y", plan.ComponentSTUN: "-stun-x-y", plan.ComponentSeeder: "-seeder-0"} {
			add(pod(stream.Name, component, stream.Name+name))
		}
	}
	options := controllers.CacheOptions(nil, exposure.Kinds{})
	options.Scheme, options.Mapper = scheme, mapper(scheme)
	options.NewInformer = func(_ toolscache.ListerWatcher, o runtime.Object, resync time.Duration, indexers toolscache.Indexers) toolscache.SharedIndexInformer {
		return &countingInformer{toolscache.NewSharedIndexInformer(c.listWatch(tb, scheme, o, stored[reflect.TypeOf(o)]), o, resync, indexers), &c.read}
	}
	if c.cache, err = cache.New(&rest.Config{Host: "http://127.0.0.1:1"}, options); err != nil {
		tb.Fatal(err)
	}
	if err := controllers.Index(tb.Context(), c.cache, exposure.Kinds{}); err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.cache.Start(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	if !c.cache.WaitForCacheSync(ctx) {
		tb.Fatal("the cache does not fill")
	}
	return c
}

// operator returns a loop on the cluster whose streams have had as many runs as they need to be unchanged.
func (c *cluster) operator(tb testing.TB, streams ...string) *controllers.Reconciler {
	tb.Helper()
	asker := poll.New()
	tb.Cleanup(asker.Close)
	r := controllers.NewReconciler(controllers.Options{Client: c, Live: c.cache, Events: &events.FakeRecorder{}, Poll: asker, Image: image})
	for _, name := range streams {
		for range 2 {
			reconcile(tb, r, name)
		}
		// The cache learns of the status.
		c.mu.Lock()
		stream := &v1.P2PStream{}
		if err := c.cache.Get(tb.Context(), types.NamespacedName{Namespace: namespace, Name: name}, stream); err != nil {
			tb.Fatal(err)
		}
		stream.Status, stream.ResourceVersion = c.status[name], "200"
		c.mu.Unlock()
		c.streamWatch.Modify(stream)
		c.await(tb, stream)
	}
	return r
}

// await waits until the cache shows a version of a stream.
func (c *cluster) await(tb testing.TB, stream *v1.P2PStream) {
	tb.Helper()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for seen := (&v1.P2PStream{}); seen.ResourceVersion != stream.ResourceVersion; {
		select {
		case <-limit.C:
			tb.Fatalf("the cache shows version %s of stream %s", seen.ResourceVersion, stream.Name)
		case <-tick.C:
		}
		if err := c.cache.Get(tb.Context(), client.ObjectKeyFromObject(stream), seen); err != nil {
			tb.Fatal(err)
		}
	}
}

func reconcile(tb testing.TB, r *controllers.Reconciler, name string) {
	tb.Helper()
	if _, err := r.Reconcile(tb.Context(), ctrl.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}); err != nil {
		tb.Fatal(err)
	}
}

func streamName(i int) string { return fmt.Sprintf("stream-%d", i) }

func newStream(i int) *v1.P2PStream {
	return &v1.P2PStream{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.GroupVersion.String(), Kind: v1.Kind},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: streamName(i), UID: types.UID(streamName(i)), Generation: 1, ResourceVersion: "100"},
		Spec:       v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "https://origin.example.com/live/master.m3u8"}},
	}
}

// childrenOf a stream as its plan has them, complete.
func (c *cluster) childrenOf(tb testing.TB, scheme *runtime.Scheme, stream *v1.P2PStream) []client.Object {
	tb.Helper()
	p, err := plan.Make(stream, plan.Facts{Image: image, Observed: exposure.Observed{}, STUNReady: true, SeederPods: 1})
	if err != nil || len(p.Pending) > 0 {
		tb.Fatalf("%v, %d objects pending", err, len(p.Pending))
	}
	var all []client.Object
	for _, object := range p.Objects {
		raw, err := json.Marshal(object.Apply)
		if err != nil {
			tb.Fatal(err)
		}
		var kind metav1.TypeMeta
		if err := json.Unmarshal(raw, &kind); err != nil {
			tb.Fatal(err)
		}
		made, err := scheme.New(kind.GroupVersionKind())
		if err != nil {
			tb.Fatal(err)
		}
		o := made.(client.Object)
		if err := json.Unmarshal(raw, o); err != nil {
			tb.Fatal(err)
		}
		o.SetUID(types.UID(object.Kind + "/" + object.Name))
		o.SetResourceVersion("100")
		o.SetGeneration(1)
		switch w := o.(type) {
		case *appsv1.Deployment:
			w.Status = appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1}
		case *appsv1.StatefulSet:
			w.Status = appsv1.StatefulSetStatus{ObservedGeneration: 1, Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: 1}
		}
		c.children[object.Ref] = o
		all = append(all, o)
	}
	return all
}

func pod(stream, component, name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(name), ResourceVersion: "100", Labels: plan.Labels(stream, component)},
		Spec:       corev1.PodSpec{NodeName: "n1"},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "192.0.2.1",
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	}
}

// mapper knows the kinds that the operator reads.
func mapper(scheme *runtime.Scheme) meta.RESTMapper {
	m := meta.NewDefaultRESTMapper(scheme.PrioritizedVersionsAllGroups())
	for kind := range scheme.AllKnownTypes() {
		scope := meta.RESTScope(meta.RESTScopeNamespace)
		if kind.Kind == "Node" {
			scope = meta.RESTScopeRoot
		}
		m.Add(kind, scope)
	}
	return m
}

// listWatch lists objects of one kind from memory.
func (c *cluster) listWatch(tb testing.TB, scheme *runtime.Scheme, o runtime.Object, stored []runtime.Object) toolscache.ListerWatcher {
	kinds, _, err := scheme.ObjectKinds(o)
	if err != nil {
		tb.Fatal(err)
	}
	kind := kinds[0]
	kind.Kind += "List"
	return listOnly{&toolscache.ListWatch{
		ListWithContextFunc: func(context.Context, metav1.ListOptions) (runtime.Object, error) {
			list, err := scheme.New(kind)
			if err != nil {
				return nil, err
			}
			if err := meta.SetList(list, stored); err != nil {
				return nil, err
			}
			list.(metav1.ListInterface).SetResourceVersion("100")
			return list, nil
		},
		WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) {
			if _, is := o.(*v1.P2PStream); is {
				return c.streamWatch, nil
			}
			return watch.NewFake(), nil
		},
	}}
}

// listOnly says to reflectors that they have to list first.
type listOnly struct{ *toolscache.ListWatch }

func (listOnly) IsWatchListSemanticsUnSupported() bool { return true }

// Get implements client.Reader.
func (c *cluster) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	return c.cache.Get(ctx, key, o, opts...)
}

// List implements client.Reader.
func (c *cluster) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return c.cache.List(ctx, list, opts...)
}

// Apply implements client.Writer: it answers with what the cache holds.
func (c *cluster) Apply(_ context.Context, applied runtime.ApplyConfiguration, _ ...client.ApplyOption) error {
	c.writes.Add(1)
	raw, err := json.Marshal(applied)
	if err != nil {
		return err
	}
	var named metav1.PartialObjectMetadata
	if err := json.Unmarshal(raw, &named); err != nil {
		return err
	}
	live := c.children[plan.Ref{Kind: named.Kind, Name: named.Name}]
	if live == nil {
		return fmt.Errorf("%s %s is not part of the plan that the cluster was made from", named.Kind, named.Name)
	}
	if raw, err = json.Marshal(live); err != nil {
		return err
	}
	return json.Unmarshal(raw, applied)
}

// Create implements client.Writer, for the token Secret.
func (c *cluster) Create(context.Context, client.Object, ...client.CreateOption) error { return nil }

// Status implements client.Client.
func (c *cluster) Status() client.SubResourceWriter { return &statusWriter{cluster: c} }

type statusWriter struct {
	client.SubResourceWriter
	cluster *cluster
}

// Apply implements client.SubResourceWriter.
func (w *statusWriter) Apply(_ context.Context, applied runtime.ApplyConfiguration, _ ...client.SubResourceApplyOption) error {
	w.cluster.writes.Add(1)
	raw, err := json.Marshal(applied)
	if err != nil {
		return err
	}
	var stream v1.P2PStream
	if err := json.Unmarshal(raw, &stream); err != nil {
		return err
	}
	w.cluster.mu.Lock()
	defer w.cluster.mu.Unlock()
	w.cluster.status[stream.Name] = stream.Status
	return nil
}

// countingInformer counts the objects that are read from its index.
type countingInformer struct {
	toolscache.SharedIndexInformer
	read *atomic.Int64
}

// GetIndexer implements cache.SharedIndexInformer.
func (c *countingInformer) GetIndexer() toolscache.Indexer {
	return &countingIndexer{c.SharedIndexInformer.GetIndexer(), c.read}
}

type countingIndexer struct {
	toolscache.Indexer
	read *atomic.Int64
}

// List implements cache.Store.
func (c *countingIndexer) List() []any {
	all := c.Indexer.List()
	c.read.Add(int64(len(all)))
	return all
}

// ByIndex implements cache.Indexer.
func (c *countingIndexer) ByIndex(index, value string) ([]any, error) {
	found, err := c.Indexer.ByIndex(index, value)
	c.read.Add(int64(len(found)))
	return found, err
}

// GetByKey implements cache.Store.
func (c *countingIndexer) GetByKey(key string) (any, bool, error) {
	c.read.Add(1)
	return c.Indexer.GetByKey(key)
}
