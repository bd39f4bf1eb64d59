package controllers_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/p2pstream/p2pstream/controllers/plan"
)

// nodes plays the controllers and kubelets of a cluster for one namespace: pods for each Deployment and
// StatefulSet, which become ready at once, unless a test wants something else of a component.
type nodes struct {
	w    *world
	mu   sync.Mutex
	play map[string]func(*corev1.Pod) // by component: makes the status of a pod another one
	// deny says of a component that its pods may not be made.
	deny map[string]string
	// at is where all tracker pods answer; empty: each gets a tracker of its own.
	at string
	// hashes of the templates of workloads; only rounds use it.
	hashes map[types.UID]hashed
}

// lastIP makes the addresses of pods unique in the whole suite.
var lastIP atomic.Uint32

func startNodes(t *testing.T, w *world) *nodes {
	n := &nodes{w: w, play: map[string]func(*corev1.Pod){}, deny: map[string]string{}, hashes: map[types.UID]hashed{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := n.round(ctx); err != nil && ctx.Err() == nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) && !apierrors.IsAlreadyExists(err) {
					t.Errorf("playing nodes: %v", err)
					return
				}
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return n
}

// become makes all pods of a component, from now on, what change says; nil makes them well again.
func (n *nodes) become(component string, change func(*corev1.Pod)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.play[component] = change
}

// forbid lets no pod of a component be made; an empty message lets them again.
func (n *nodes) forbid(component, message string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.deny[component] = message
}

func (n *nodes) round(ctx context.Context) error {
	var deployments appsv1.DeploymentList
	if err := n.w.List(ctx, &deployments, client.InNamespace(n.w.ns)); err != nil {
		return err
	}
	var sets appsv1.StatefulSetList
	if err := n.w.List(ctx, &sets, client.InNamespace(n.w.ns)); err != nil {
		return err
	}
	keep := map[string]bool{}
	for i := range deployments.Items {
		d := &deployments.Items[i]
		before := d.Status.DeepCopy()
		ready, all, err := n.pods(ctx, d, d.Spec.Template, *d.Spec.Replicas, "-"+n.hash(d, d.Spec.Template), keep)
		if err != nil {
			return err
		}
		d.Status.ObservedGeneration = d.Generation
		d.Status.Replicas, d.Status.UpdatedReplicas, d.Status.ReadyReplicas, d.Status.AvailableReplicas = all, all, ready, ready
		d.Status.Conditions = nil
		if text := n.denied(d.Labels); text != "" {
			d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: text}}
		}
		if !equality.Semantic.DeepEqual(*before, d.Status) {
			if err := n.w.Status().Update(ctx, d); err != nil {
				return err
			}
		}
	}
	for i := range sets.Items {
		s := &sets.Items[i]
		before := s.Status.DeepCopy()
		ready, all, err := n.pods(ctx, s, s.Spec.Template, *s.Spec.Replicas, "", keep)
		if err != nil {
			return err
		}
		s.Status.ObservedGeneration = s.Generation
		s.Status.Replicas, s.Status.UpdatedReplicas, s.Status.ReadyReplicas, s.Status.AvailableReplicas = all, all, ready, ready
		if text := n.denied(s.Labels); text != "" {
			if err := n.event(ctx, "FailedCreate", text, "StatefulSet", s.Name, s.UID); err != nil {
				return err
			}
		}
		if !equality.Semantic.DeepEqual(*before, s.Status) {
			if err := n.w.Status().Update(ctx, s); err != nil {
				return err
			}
		}
	}
	return n.reap(ctx, keep)
}

func (n *nodes) denied(labels map[string]string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.deny[labels[plan.LabelComponent]]
}

// hashed is the hash of a template, which a generation of a workload keeps.
type hashed struct {
	generation int64
	hash       string
}

// hash of the template of a workload, made once for each generation: a round that makes them all costs more than the rest of it.
func (n *nodes) hash(owner client.Object, t corev1.PodTemplateSpec) string {
	known := n.hashes[owner.GetUID()]
	if known.generation != owner.GetGeneration() {
		h := fnv.New32a()
		_, _ = h.Write([]byte(t.String())) // never fails
		known = hashed{owner.GetGeneration(), fmt.Sprintf("%x", h.Sum32())}
		n.hashes[owner.GetUID()] = known
	}
	return known.hash
}

// pods makes those of one workload and returns how many there are, and are ready.
func (n *nodes) pods(ctx context.Context, owner client.Object, template corev1.PodTemplateSpec, count int32, suffix string, keep map[string]bool) (ready, all int32, err error) {
	if n.denied(owner.GetLabels()) != "" {
		return 0, 0, nil
	}
	hash := n.hash(owner, template)
	for i := range count {
		name := fmt.Sprintf("%s%s-%d", owner.GetName(), suffix, i)
		keep[name] = true
		pod := &corev1.Pod{}
		err := n.w.Get(ctx, client.ObjectKey{Namespace: n.w.ns, Name: name}, pod)
		switch {
		case apierrors.IsNotFound(err):
			pod = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: n.w.ns, Name: name, Labels: template.Labels, Annotations: template.Annotations}, Spec: *template.Spec.DeepCopy()}
			if pod.Annotations == nil {
				pod.Annotations = map[string]string{}
			}
			pod.Annotations["test/template"] = hash
			pod.Spec.NodeName = fmt.Sprintf("n%d", i%2+1)
			if err := n.w.Create(ctx, pod); err != nil {
				return 0, 0, err
			}
		case err != nil:
			return 0, 0, err
		case pod.Annotations["test/template"] != hash || pod.DeletionTimestamp != nil:
			keep[name] = false // replaced by one of the new template in the next round
			continue
		}
		all++
		if err := n.status(ctx, pod); err != nil {
			return 0, 0, err
		}
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				ready++
			}
		}
	}
	return ready, all, nil
}

// status gives a pod what a kubelet would.
func (n *nodes) status(ctx context.Context, pod *corev1.Pod) error {
	before := pod.Status.DeepCopy()
	ip := pod.Status.PodIP
	if ip == "" {
		number := lastIP.Add(1)
		ip = fmt.Sprintf("10.99.%d.%d", number/250, number%250+1)
	}
	component := pod.Labels[plan.LabelComponent]
	pod.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}}, QOSClass: pod.Status.QOSClass,
		Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
		ContainerStatuses: []corev1.ContainerStatus{{Name: component, Image: image, Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}},
	}
	n.mu.Lock()
	change, at := n.play[component], n.at
	n.mu.Unlock()
	if change != nil {
		change(pod)
	}
	if component == plan.ComponentTracker {
		if at != "" {
			n.w.setAddress(ip, at)
		}
		n.w.serveTracker(ip)
	}
	if equality.Semantic.DeepEqual(*before, pod.Status) {
		return nil
	}
	return n.w.Status().Update(ctx, pod)
}

// reap deletes pods that no workload has any more, as kubelets do: at once, for nothing runs in them.
func (n *nodes) reap(ctx context.Context, keep map[string]bool) error {
	var pods corev1.PodList
	if err := n.w.List(ctx, &pods, client.InNamespace(n.w.ns)); err != nil {
		return err
	}
	for i := range pods.Items {
		if pod := &pods.Items[i]; !keep[pod.Name] && pod.Annotations["test/keep"] == "" {
			if err := n.w.Delete(ctx, pod, client.GracePeriodSeconds(0)); client.IgnoreNotFound(err) != nil {
				return err
			}
		}
	}
	return nil
}

// event is one that a kubelet or controller would write.
func (n *nodes) event(ctx context.Context, reason, text, kind, name string, uid types.UID) error {
	e := &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: n.w.ns, Name: name + "." + reason},
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: kind, Namespace: n.w.ns, Name: name, UID: uid},
		Type:           corev1.EventTypeWarning, Reason: reason, Message: text,
		FirstTimestamp: metav1.Now(), LastTimestamp: metav1.Now(), Count: 1,
	}
	return client.IgnoreAlreadyExists(n.w.Create(ctx, e))
}
