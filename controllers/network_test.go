package controllers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

// platform is a world with a network, and a real tracker for it.
type platform struct {
	*world
	network *v1.P2PNetwork
	server  *tracker.Server
	file    string // where that keeps its table
}

// newPlatform makes a network named corp. Its operator also watches the namespaces of the teams.
func newPlatform(t *testing.T, change func(*v1.P2PNetworkSpec), teams ...*world) *platform {
	t.Helper()
	w := newWorld(t)
	for _, team := range teams {
		w.also, w.friends = append(w.also, team.ns), append(w.friends, team)
	}
	p := &platform{world: w}
	p.network = &v1.P2PNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "corp"}}
	if change != nil {
		change(&p.network.Spec)
	}
	if err := w.Create(t.Context(), p.network); err != nil {
		t.Fatal(err)
	}
	p.startTracker()
	return p
}

func all(s *v1.P2PNetworkSpec) {
	s.Streams = &v1.NetworkStreamsSpec{Namespaces: &v1.NetworkNamespaces{From: v1.NamespacesFromAll}}
}

// startTracker runs a tracker with a table, and has all tracker pods of the world answer there. It begins with the table of a file,
// if one is given.
func (p *platform) startTracker(initial ...string) {
	p.t.Helper()
	dir := p.t.TempDir()
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte(controllers.TableToken(key, p.network.UID)), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.file = filepath.Join(dir, "table.json")
	server, err := tracker.New(tracker.Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0",
		Streams: &tracker.StreamsConfig{File: p.file, TokenFile: token, InitialFile: strings.Join(initial, "")}}, nil, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	p.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			p.t.Errorf("tracker: %v", err)
		}
	})
	select {
	case <-server.Ready():
	case err := <-done:
		done <- err
		p.t.Fatal(err)
	}
	p.server = server
	p.nodes.answerBy(server.AdminAddr().String())
}

// served are the streams that the tracker serves, by namespace/name.
func (p *platform) served() map[string]table.State {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+p.server.AdminAddr().String()+table.Path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+controllers.TableToken(key, p.network.UID))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	var states table.States
	if err := json.NewDecoder(resp.Body).Decode(&states); err != nil || resp.StatusCode != http.StatusOK {
		p.t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	all := map[string]table.State{}
	for _, s := range states.Streams {
		all[s.Namespace+"/"+s.Name] = s
	}
	return all
}

// untilNetwork waits for something to become true of the network.
func (p *platform) untilNetwork(what string, is func(*v1.P2PNetwork) bool) *v1.P2PNetwork {
	p.t.Helper()
	last := &v1.P2PNetwork{}
	if !p.eventually(func() bool {
		last = &v1.P2PNetwork{}
		if err := p.Get(p.t.Context(), client.ObjectKeyFromObject(p.network), last); err != nil {
			p.t.Fatal(err)
		}
		return is(last)
	}) {
		text, _ := yaml.Marshal(last.Status)
		p.t.Fatalf("the network in vain waited to be %s:\n%s", what, text)
	}
	return last
}

// networkHas is has for a network.
func networkHas(want string) func(*v1.P2PNetwork) bool {
	return func(n *v1.P2PNetwork) bool {
		return has(want)(&v1.P2PStream{ObjectMeta: n.ObjectMeta, Status: v1.P2PStreamStatus{Conditions: n.Status.Conditions}})
	}
}

// editNetwork changes the spec.
func (p *platform) editNetwork(change func(*v1.P2PNetworkSpec)) {
	p.t.Helper()
	n := &v1.P2PNetwork{}
	if err := p.Get(p.t.Context(), client.ObjectKeyFromObject(p.network), n); err != nil {
		p.t.Fatal(err)
	}
	before := n.DeepCopy()
	change(&n.Spec)
	if err := p.Patch(p.t.Context(), n, client.MergeFrom(before)); err != nil {
		p.t.Fatal(err)
	}
}

// on has a stream use the network.
func (p *platform) on(s *v1.P2PStreamSpec) {
	s.NetworkRef = &v1.NetworkReference{Name: v1.NetworkName(p.network.Name), Namespace: v1.NamespaceName(p.ns)}
}

func swarm(id string) func(*v1.P2PStreamSpec) { return func(s *v1.P2PStreamSpec) { s.SwarmID = id } }

func TestStreamsOfTwoNamespacesShareANetwork(t *testing.T) {
	t.Parallel()
	video, events := newWorld(t), newWorld(t)
	p := newPlatform(t, func(s *v1.P2PNetworkSpec) {
		all(s)
		s.Tracker = &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureClusterIP, Host: "ecdn.example.com", TLSTerminated: true, Path: "/live"}}
		s.Seeders = &v1.NetworkSeedersSpec{Exposure: &v1.SeederExposure{Type: v1.ExposureNodePort}, NodeSelector: map[string]string{"pool": "seeders"}}
	}, video, events)
	video.stream("town-hall", p.on, swarm("a"))
	events.stream("town-hall", p.on, swarm("b"))
	p.operator()
	for _, team := range []*world{video, events} {
		s := team.until("town-hall", "Current", current)
		if !has("Accepted=True/Accepted")(s) || !has("TrackerReady=True/Available")(s) || !has("STUNReady=True/NotAdvertised")(s) {
			t.Errorf("%+v", s.Status.Conditions)
		}
		if want := "wss://ecdn.example.com/live/" + team.ns + "/town-hall/announce"; s.Status.Endpoints == nil || s.Status.Endpoints.Announce != want {
			t.Errorf("endpoints %+v, want %s", s.Status.Endpoints, want)
		}
		var deployments appsv1.DeploymentList
		if err := team.List(t.Context(), &deployments, client.InNamespace(team.ns)); err != nil || len(deployments.Items) != 0 {
			t.Errorf("%d Deployments beside those of the network, %v", len(deployments.Items), err)
		}
		var set appsv1.StatefulSet
		if err := team.Get(t.Context(), client.ObjectKey{Namespace: team.ns, Name: plan.SeederName("town-hall")}, &set); err != nil {
			t.Fatal(err)
		}
		if set.Spec.Template.Spec.NodeSelector["pool"] != "seeders" {
			t.Errorf("node selector %v, want the network's", set.Spec.Template.Spec.NodeSelector)
		}
		p.seederIsKnown(team, s)
	}
	n := p.untilNetwork("Ready with two streams", func(n *v1.P2PNetwork) bool {
		return networkHas("Ready=True/Serving")(n) && n.Status.Streams != nil && n.Status.Streams.Attached == 2 && n.Status.Streams.Refused == 0
	})
	if e := n.Status.Endpoints; e == nil || e.URL != "https://ecdn.example.com/live" || !networkHas("SitesReady=True/Disabled")(n) || !networkHas("EntranceReady=True/Available")(n) || !networkHas("Stalled=False/Progressing")(n) {
		t.Errorf("%s", text(t, n.Status))
	}
	// A stream that comes later is served by the tracker that runs, and one that goes is not served any more.
	began := time.Now()
	video.stream("late", p.on, swarm("c"))
	if !p.eventually(func() bool { _, ok := p.served()[video.ns+"/late"]; return ok }) {
		t.Fatal("a new stream is not served")
	}
	t.Logf("a new stream was served after %v", time.Since(began))
	if err := video.Delete(t.Context(), video.get("late")); err != nil {
		t.Fatal(err)
	}
	if !p.eventually(func() bool { _, ok := p.served()[video.ns+"/late"]; return !ok }) {
		t.Error("a stream that was deleted is still served")
	}
}

// seederIsKnown connects with the token in the Secret that seeders mount: as a seeder of its own stream it is welcome.
func (p *platform) seederIsKnown(team *world, s *v1.P2PStream) {
	p.t.Helper()
	var secret corev1.Secret
	name := controllers.SeederSecret(key, s.Name, s.UID)
	if err := team.Get(p.t.Context(), client.ObjectKey{Namespace: team.ns, Name: name}, &secret); err != nil {
		p.t.Fatal(err)
	}
	before := p.served()[team.ns+"/"+s.Name].Seeders
	ws, resp, err := websocket.DefaultDialer.DialContext(p.t.Context(), "ws://"+p.server.Addr().String()+"/"+team.ns+"/"+s.Name+"/announce",
		http.Header{"Authorization": {"Bearer " + string(secret.Data[plan.TokenKey])}})
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	defer ws.Close()
	if !p.eventually(func() bool { return p.served()[team.ns+"/"+s.Name].Seeders == before+1 }) {
		p.t.Errorf("who has the token of Secret %s is no seeder", name)
	}
}

func TestStreamsThatANetworkRefuses(t *testing.T) {
	t.Parallel()
	admitted, other := newWorld(t, "ecdn", "yes"), newWorld(t)
	one := int32(1)
	p := newPlatform(t, func(s *v1.P2PNetworkSpec) {
		s.Streams = &v1.NetworkStreamsSpec{
			Namespaces: &v1.NetworkNamespaces{From: v1.NamespacesFromSelector, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"ecdn": "yes"}}},
			Limits:     &v1.NetworkLimits{Streams: &one, SeedersPerStream: &one},
		}
	}, admitted, other)
	p.operator(func(o *controllers.Options) { o.StallAfter = time.Millisecond })
	admitted.stream("secret", p.on, swarm("s"), func(s *v1.P2PStreamSpec) { s.Source.HeadersSecretRef = &v1.SecretReference{Name: "h"} })
	admitted.stream("lost", swarm("l"), func(s *v1.P2PStreamSpec) { s.NetworkRef = &v1.NetworkReference{Name: "none"} })
	admitted.stream("elsewhere", swarm("e"), func(s *v1.P2PStreamSpec) {
		s.NetworkRef = &v1.NetworkReference{Name: "corp", Namespace: "kube-public"}
	})
	other.stream("foreign", p.on, swarm("f"))
	admitted.stream("first", p.on, swarm("1"))
	admitted.until("first", "Current", current)
	admitted.stream("second", p.on, swarm("2"))
	for _, c := range []struct {
		team              *world
		stream, is, names string
	}{
		{admitted, "secret", "InvalidSpec", "spec.source.headersSecretRef"},
		{admitted, "lost", "NetworkNotFound", "Create it, or correct spec.networkRef"},
		{admitted, "elsewhere", "NetworkNotFound", "does not watch"},
		{other, "foreign", "NotAdmitted", "spec.streams.namespaces of the network"},
		{admitted, "second", "NetworkFull", "has 1 streams"},
	} {
		s := c.team.until(c.stream, "refused", func(s *v1.P2PStream) bool {
			return has("Accepted=False/"+c.is)(s) && has("Stalled=True/"+c.is)(s) && has("Ready=False/"+c.is)(s)
		})
		c.team.says(s, "Accepted", c.names)
	}
	p.untilNetwork("told of who was refused", func(n *v1.P2PNetwork) bool { return n.Status.Streams != nil && n.Status.Streams.Refused == 3 })
	if served := p.served(); len(served) != 1 {
		t.Errorf("served: %v", served)
	}
	// What was refused recovers when the reason is gone.
	p.editNetwork(func(s *v1.P2PNetworkSpec) { all(s) })
	other.until("foreign", "admitted", current)
	admitted.until("second", "admitted", current)
	admitted.edit("lost", p.on)
	admitted.until("lost", "admitted", current)
}

// TestAStreamAboveALimitStays: autoscalers and people who scale too far do not take the tracker from viewers.
func TestAStreamAboveALimitStays(t *testing.T) {
	t.Parallel()
	team := newWorld(t)
	one, three := int32(1), int32(3)
	p := newPlatform(t, func(s *v1.P2PNetworkSpec) {
		all(s)
		s.Streams.Limits = &v1.NetworkLimits{SeedersPerStream: &one}
	}, team)
	p.operator()
	team.stream("live", p.on)
	team.until("live", "Current", current)
	scale := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: three}}
	if err := team.SubResource("scale").Update(t.Context(), team.get("live"), client.WithSubResourceBody(scale)); err != nil {
		t.Fatal(err)
	}
	s := team.until("live", "limited", func(s *v1.P2PStream) bool { return has("Accepted=True/Limited")(s) && current(s) })
	team.says(s, "Accepted", "spec.seeders.replicas: 3 is above the network's limit of 1", "spec.streams.limits")
	if s.Status.Seeders.Replicas != 1 || s.Status.Network == nil {
		t.Errorf("%s", text(t, s.Status))
	}
	if _, served := p.served()[team.ns+"/live"]; !served {
		t.Error("the tracker does not serve it any more")
	}
	if !p.eventually(func() bool { return slices.Contains(team.events("live"), "Warning/Limited") }) {
		t.Errorf("events %v", team.events("live"))
	}
	p.editNetwork(func(s *v1.P2PNetworkSpec) { s.Streams.Limits = nil })
	team.until("live", "Current with three seeders", func(s *v1.P2PStream) bool {
		return has("Accepted=True/Accepted")(s) && current(s) && s.Status.Seeders.Replicas == 3
	})
}

// TestANetworkShapesItsStreams: a change of its template reaches the pods of streams, and a stream that may not shape its own says so.
func TestANetworkShapesItsStreams(t *testing.T) {
	t.Parallel()
	team := newWorld(t)
	p := newPlatform(t, func(s *v1.P2PNetworkSpec) {
		all(s)
		s.Pods = &v1.PodsSpec{Labels: map[string]string{"cost-centre": "network"}}
	}, team)
	p.operator()
	team.stream("live", p.on, func(s *v1.P2PStreamSpec) { s.Pods = &v1.PodsSpec{Labels: map[string]string{"cost-centre": "team"}} })
	team.stream("plain", p.on, func(s *v1.P2PStreamSpec) { s.SwarmID = "plain" })
	seeders := func(stream string) string {
		var set appsv1.StatefulSet
		if team.Get(t.Context(), client.ObjectKey{Namespace: team.ns, Name: stream + "-seeder"}, &set) != nil {
			return ""
		}
		return set.Spec.Template.Labels["cost-centre"]
	}
	if !team.eventually(func() bool { return seeders("live") == "team" && seeders("plain") == "network" }) {
		t.Fatalf("the pods have %q and %q", seeders("live"), seeders("plain"))
	}
	p.editNetwork(func(s *v1.P2PNetworkSpec) { s.Streams.PodOverrides = v1.PodOverridesForbidden })
	if !team.eventually(func() bool { return seeders("live") == "network" }) {
		t.Fatalf("the pods have %q", seeders("live"))
	}
	s := team.until("live", "limited", func(s *v1.P2PStream) bool { return has("Accepted=True/Limited")(s) && current(s) })
	team.says(s, "Accepted", "spec.pods is not used", "spec.streams.podOverrides")
	p.editNetwork(func(s *v1.P2PNetworkSpec) { s.Pods.Labels["cost-centre"] = "other" })
	if !team.eventually(func() bool { return seeders("live") == "other" && seeders("plain") == "other" }) {
		t.Errorf("the pods have %q and %q after a change", seeders("live"), seeders("plain"))
	}
}

func TestANetworkWaitsForItsStreams(t *testing.T) {
	t.Parallel()
	team := newWorld(t)
	p := newPlatform(t, all, team)
	p.operator(func(o *controllers.Options) { o.StallAfter = time.Millisecond })
	team.stream("live", p.on)
	team.until("live", "Current", current)
	if err := p.Delete(t.Context(), p.network); err != nil {
		t.Fatal(err)
	}
	n := p.untilNetwork("waiting", networkHas("Reconciling=True/StreamsAttached"))
	if m := message(&v1.P2PStream{Status: v1.P2PStreamStatus{Conditions: n.Status.Conditions}}, "Reconciling"); !strings.Contains(m, team.ns+"/live") {
		t.Errorf("it does not say for whom it waits: %s", m)
	}
	team.stream("late", p.on, swarm("late"))
	s := team.until("late", "refused", has("Accepted=False/NotAdmitted"))
	team.says(s, "Accepted", "is being deleted")
	if s := team.get("live"); !has("Ready=True/Serving")(s) {
		t.Errorf("the stream that it waits for: %+v", s.Status.Conditions)
	}
	if err := team.Delete(t.Context(), team.get("live")); err != nil {
		t.Fatal(err)
	}
	if !p.eventually(func() bool {
		return apierrors.IsNotFound(p.Get(t.Context(), client.ObjectKeyFromObject(p.network), &v1.P2PNetwork{}))
	}) {
		t.Fatal("the network does not go away")
	}
	team.until("late", "without a network", has("Accepted=False/NetworkNotFound"))
}

// TestAStreamMoves from a tracker of its own to a network and back, and keeps its totals.
func TestAStreamMoves(t *testing.T) {
	t.Parallel()
	team := newWorld(t)
	p := newPlatform(t, all, team)
	p.operator()
	own := newTracker("own")
	t.Cleanup(own.Close)
	own.set(func(s *stats.Stats) {
		s.Viewers, s.Reporting, s.Offload.Totals = 1, 1, telemetry.Counters{HTTP: 1_000_000, Viewer: 9_000_000}
	})
	team.nodes.answerBy(own.address())
	team.stream("live")
	s := team.until("live", "told of bytes", func(s *v1.P2PStream) bool {
		return s.Status.Offload != nil && s.Status.Offload.Totals.PeerBytes == 9_000_000
	})
	if has("Accepted=True/Accepted")(s) || message(s, "Accepted") != "" {
		t.Error("a stream without a network has the condition Accepted")
	}
	team.edit("live", p.on)
	s = team.until("live", "Current on the network", func(s *v1.P2PStream) bool { return current(s) && has("Accepted=True/Accepted")(s) })
	if s.Status.Offload.Totals.PeerBytes != 9_000_000 || s.Status.Offload.Totals.OriginBytes != 1_000_000 {
		t.Errorf("totals %+v", s.Status.Offload.Totals)
	}
	gone := func() bool {
		return apierrors.IsNotFound(team.Get(t.Context(), client.ObjectKey{Namespace: team.ns, Name: plan.TrackerName("live")}, &appsv1.Deployment{}))
	}
	if !team.eventually(gone) {
		t.Error("the tracker of its own stays")
	}
	team.edit("live", func(s *v1.P2PStreamSpec) { s.NetworkRef = nil })
	s = team.until("live", "Current alone", func(s *v1.P2PStream) bool { return current(s) && message(s, "Accepted") == "" })
	if gone() || s.Status.Offload.Totals.PeerBytes < 9_000_000 {
		t.Errorf("back alone: tracker gone %v, totals %+v", gone(), s.Status.Offload.Totals)
	}
	if len(p.served()) != 0 {
		t.Errorf("the network still serves %v", p.served())
	}
}

func TestTheDefaultNetwork(t *testing.T) {
	t.Parallel()
	team := newWorld(t)
	p := newPlatform(t, all, team)
	p.operator(func(o *controllers.Options) { o.DefaultNetwork = types.NamespacedName{Namespace: p.ns, Name: "corp"} })
	team.stream("plain", swarm("p"))
	team.stream("private", swarm("q"), func(s *v1.P2PStreamSpec) { s.NetworkRef = &v1.NetworkReference{} })
	team.stream("exposed", swarm("r"), exposed)
	s := team.until("plain", "Current", current)
	if !has("Accepted=True/Accepted")(s) {
		t.Errorf("%+v", s.Status.Conditions)
	}
	for _, name := range []string{"private", "exposed"} {
		if s := team.until(name, "Current", current); message(s, "Accepted") != "" {
			t.Errorf("%s uses the network: %s", name, message(s, "Accepted"))
		}
	}
}

// TestTheOlderStreamKeepsTheSwarm, and the other one says so until it is gone.
func TestTheOlderStreamKeepsTheSwarm(t *testing.T) {
	t.Parallel()
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n"+strings.Repeat("#EXTINF:4.0,\nseg.ts\n", 3)+"#EXT-X-ENDLIST\n")
	}))
	t.Cleanup(origin.Close)
	at := func(s *v1.P2PStreamSpec) { s.Source.URL = v1.URL(origin.URL + "/film.m3u8") }
	team := newWorld(t)
	p := newPlatform(t, all, team)
	p.operator()
	team.stream("a", p.on, at)
	if !p.eventually(func() bool { return p.served()[team.ns+"/a"].Read }) {
		t.Fatal("the stream is not read")
	}
	team.stream("b", p.on, at)
	s := team.until("b", "refused", has("Accepted=False/SwarmTaken"))
	team.says(s, "Accepted", "swarmID", fmt.Sprintf("%s/a", team.ns))
	if !has("Accepted=True/Accepted")(team.get("a")) {
		t.Error("the older one has lost it")
	}
	if err := team.Delete(t.Context(), team.get("a")); err != nil {
		t.Fatal(err)
	}
	team.until("b", "accepted", has("Accepted=True/Accepted"))
}

// TestWhoHasASwarmKeepsIt: an older stream that is given the swarm of another one waits for it, also after the operator has started again.
func TestWhoHasASwarmKeepsIt(t *testing.T) {
	t.Parallel()
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n"+strings.Repeat("#EXTINF:4.0,\nseg.ts\n", 3)+"#EXT-X-ENDLIST\n")
	}))
	t.Cleanup(origin.Close)
	at := func(s *v1.P2PStreamSpec) { s.Source.URL = v1.URL(origin.URL + "/film.m3u8") }
	team := newWorld(t)
	p := newPlatform(t, all, team)
	stop := p.operator()
	team.stream("a", p.on, at, swarm("nothing"))
	team.until("a", "attached", func(s *v1.P2PStream) bool { return s.Status.Network != nil })
	team.stream("b", p.on, at, swarm("town-hall"))
	b := team.until("b", "attached", func(s *v1.P2PStream) bool { return s.Status.Network != nil })
	// Claims of one second count as made at once.
	if !p.eventually(func() bool {
		return p.served()[team.ns+"/a"].Read && p.served()[team.ns+"/b"].Read && time.Since(b.Status.Network.SwarmSince.Time) > 2*time.Second
	}) {
		t.Fatal("the streams are not read")
	}
	team.edit("a", swarm("town-hall"))
	team.until("a", "refused", has("Accepted=False/SwarmTaken"))
	stop()
	p.operator()
	team.stream("c", p.on, at, swarm("c"))
	if !p.eventually(func() bool { _, ok := p.served()[team.ns+"/c"]; return ok }) {
		t.Fatal("the new operator makes no table")
	}
	if of := p.served(); of[team.ns+"/a"].Problem != table.ProblemSwarmTaken || of[team.ns+"/b"].Problem != "" {
		t.Errorf("%+v", of)
	}
	if s := team.get("b"); !has("Accepted=True/Accepted")(s) || !s.Status.Network.SwarmSince.Equal(&b.Status.Network.SwarmSince) {
		t.Errorf("%s", text(t, s.Status))
	}
}

// TestASuspendedStreamOfANetworkStays as it is on the tracker, whatever its spec becomes, also with another operator.
func TestASuspendedStreamOfANetworkStays(t *testing.T) {
	t.Parallel()
	team := newWorld(t)
	p := newPlatform(t, all, team)
	stop := p.operator()
	team.stream("live", p.on, swarm("town-hall"))
	team.stream("never", p.on, swarm("never"), func(s *v1.P2PStreamSpec) { s.Suspend = true })
	team.until("live", "Current", current)
	told := func() string {
		raw, err := os.ReadFile(p.file)
		if err != nil {
			t.Fatal(err)
		}
		var of table.Table
		if err := json.Unmarshal(raw, &of); err != nil {
			t.Fatal(err)
		}
		for _, e := range of.Streams {
			if e.Namespace == team.ns && e.Name == "live" {
				return e.Stream.SwarmID
			}
		}
		return ""
	}
	replaced := func(with string) {
		t.Helper()
		team.stream(with, p.on, swarm(with))
		if !p.eventually(func() bool { _, ok := p.served()[team.ns+"/"+with]; return ok }) {
			t.Fatal("the tracker gets no other table")
		}
		if id := told(); id != "town-hall" {
			t.Errorf("the tracker is told swarm %q", id)
		}
	}
	team.edit("live", func(s *v1.P2PStreamSpec) {
		s.Suspend, s.SwarmID, s.NetworkRef, s.Source.HeadersSecretRef = true, "other", &v1.NetworkReference{Name: "none"}, &v1.SecretReference{Name: "h"}
	})
	s := team.until("live", "suspended", func(s *v1.P2PStream) bool { return has("Ready=True/Suspended")(s) && has("Accepted=True/Accepted")(s) })
	if !current(s) || s.Status.Network == nil {
		t.Errorf("%s", text(t, s.Status))
	}
	replaced("one")
	if !p.eventually(func() bool { // it is written every few seconds
		var kept corev1.ConfigMap
		if err := p.Get(t.Context(), client.ObjectKey{Namespace: p.ns, Name: plan.KeptTableName("corp")}, &kept); err != nil {
			t.Fatal(err)
		}
		tab, err := controllers.Unpack(kept.BinaryData[plan.KeptTableKey])
		return err == nil && slices.ContainsFunc(tab.Streams, func(e table.Entry) bool { return e.Name == "live" && e.Stream.SwarmID == "town-hall" })
	}) {
		t.Fatal("the table is not kept")
	}
	stop()
	stop = p.operator()
	replaced("two")
	team.until("live", "observed", has("Ready=True/Suspended"))
	if _, served := p.served()[team.ns+"/never"]; served || has("Accepted=True/Accepted")(team.get("never")) {
		t.Error("a stream that was made suspended is served")
	}
	team.edit("live", func(s *v1.P2PStreamSpec) { s.Suspend, s.Source.HeadersSecretRef = false, nil; p.on(s) })
	if !p.eventually(func() bool { return told() == "other" }) {
		t.Error("a stream that is not suspended any more stays as it was")
	}
	team.edit("never", func(s *v1.P2PStreamSpec) { s.Suspend = false })
	team.until("never", "Current", current)
	stop()
}

// TestAStreamThatIsNotServedTellsNothingOfTheNetwork: its own tracker, which a team can make say anything, speaks for no one else.
func TestAStreamThatIsNotServedTellsNothingOfTheNetwork(t *testing.T) {
	t.Parallel()
	team := newWorld(t)
	p := newPlatform(t, func(s *v1.P2PNetworkSpec) {
		s.STUN = &v1.STUNSpec{Exposure: &v1.STUNExposure{Type: v1.ExposureNodePort}}
	}, team)
	p.operator()
	const claim = "stun:198.51.100.7:3478"
	own := newTracker("liar")
	t.Cleanup(own.Close)
	own.set(func(s *stats.Stats) { s.Viewers, s.STUN = 7, []stats.STUN{{Server: claim, Ready: true}} })
	team.nodes.answerBy(own.address())
	team.stream("live")
	team.until("live", "told of viewers", func(s *v1.P2PStream) bool {
		return s.Status.Swarm != nil && s.Status.Swarm.Viewers != nil && *s.Status.Swarm.Viewers == 7
	})
	team.edit("live", p.on)
	team.until("live", "refused", has("Accepted=False/NotAdmitted"))
	own.reset()
	if !team.eventually(func() bool { own.mu.Lock(); defer own.mu.Unlock(); return own.asked >= 2 }) {
		t.Fatal("its tracker is not asked any more")
	}
	p.untilNetwork("Ready", networkHas("Ready=True/Serving"))
	one := int32(1)
	p.editNetwork(func(s *v1.P2PNetworkSpec) {
		s.Streams = &v1.NetworkStreamsSpec{Limits: &v1.NetworkLimits{Streams: &one}}
	})
	n := p.untilNetwork("judged again", func(n *v1.P2PNetwork) bool {
		return networkHas("STUNReady=True/Available")(n) && n.Status.ObservedGeneration == n.Generation
	})
	if m := message(&v1.P2PStream{Status: v1.P2PStreamStatus{Conditions: n.Status.Conditions}}, "STUNReady"); strings.Contains(m, claim) {
		t.Errorf("the network says what a stream's own tracker claims: %s", m)
	}
}
