package controllers

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/p2pstream/p2pstream/controllers/poll"
	"github.com/p2pstream/p2pstream/controllers/totals"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func trackerPod(uid string, change ...func(*corev1.Pod)) corev1.Pod {
	p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a-tracker-" + uid, UID: types.UID(uid)},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.0.0.1", Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}}
	for _, c := range change {
		c(&p)
	}
	return p
}

func younger(p *corev1.Pod) { p.CreationTimestamp = metav1.Time{Time: noon} }
func unready(p *corev1.Pod) { p.Status.Conditions = nil }
func ending(p *corev1.Pod)  { p.DeletionTimestamp = &metav1.Time{Time: noon} }

func TestWhomToAsk(t *testing.T) {
	t.Parallel()
	ago := func(seconds int) time.Time { return noon.Add(-time.Duration(seconds) * time.Second) }
	for name, tt := range map[string]struct {
		memory memory
		pods   []corev1.Pod
		want   []string // uid, with a + when its totals are read to be kept
	}{
		"no pods":                         {memory{}, nil, nil},
		"one that was never asked":        {memory{}, []corev1.Pod{trackerPod("a")}, []string{"a+"}},
		"one that starts":                 {memory{}, []corev1.Pod{trackerPod("a", unready)}, nil},
		"one that was ready":              {memory{readAt: map[types.UID]time.Time{"a": ago(20)}}, []corev1.Pod{trackerPod("a", unready)}, []string{"a+"}},
		"read a moment ago":               {memory{readAt: map[types.UID]time.Time{"a": ago(10)}}, []corev1.Pod{trackerPod("a")}, []string{"a"}},
		"read long ago":                   {memory{readAt: map[types.UID]time.Time{"a": ago(15)}}, []corev1.Pod{trackerPod("a")}, []string{"a+"}},
		"status was written since":        {memory{readAt: map[types.UID]time.Time{"a": ago(20)}, written: written{at: ago(5)}}, []corev1.Pod{trackerPod("a")}, []string{"a"}},
		"status is written all the time":  {memory{readAt: map[types.UID]time.Time{"a": ago(30)}, written: written{at: ago(5)}}, []corev1.Pod{trackerPod("a")}, []string{"a+"}},
		"what was read is not in status":  {memory{readAt: map[types.UID]time.Time{"a": ago(60)}, unwritten: []totals.Reading{{}}}, []corev1.Pod{trackerPod("a")}, []string{"a"}},
		"one that ends":                   {memory{readAt: map[types.UID]time.Time{"a": ago(60)}}, []corev1.Pod{trackerPod("a", ending)}, nil},
		"one that is replaced":            {memory{readAt: map[types.UID]time.Time{"a": ago(40)}}, []corev1.Pod{trackerPod("a"), trackerPod("b", younger, unready)}, []string{"a+"}},
		"and the other one":               {memory{readAt: map[types.UID]time.Time{"a": ago(40)}}, []corev1.Pod{trackerPod("a"), trackerPod("b", younger)}, []string{"a", "b+"}},
		"one of the same name, made anew": {memory{readAt: map[types.UID]time.Time{"a": ago(1)}}, []corev1.Pod{trackerPod("b")}, []string{"b+"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := tt.memory
			kept := telemetry.Kept{"run": 1}
			list, read := m.trackers(tt.pods, kept)
			var got []string
			for _, tracker := range list {
				mark := ""
				if read != nil && read.UID == tracker.UID && !read.From.After(noon) && read.Kept["run"] == 1 {
					mark = "+"
				}
				got = append(got, string(tracker.UID)+mark)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOneFailureIsNoVerdict(t *testing.T) {
	t.Parallel()
	failed := func(times int) poll.Answer { return poll.Answer{Err: errors.New("timeout"), Failures: times} }
	for name, tt := range map[string]struct {
		answers map[types.UID]poll.Answer
		want    bool
	}{
		"not asked yet":                 {nil, false},
		"failed once":                   {map[types.UID]poll.Answer{"a": failed(1)}, false},
		"failed twice":                  {map[types.UID]poll.Answer{"a": failed(2)}, true},
		"answered":                      {map[types.UID]poll.Answer{"a": {}}, true},
		"one failed, one answered":      {map[types.UID]poll.Answer{"a": failed(1), "b": {}}, true},
		"will not be asked":             {map[types.UID]poll.Answer{"a": failed(0)}, true},
		"a new one failed, as an old":   {map[types.UID]poll.Answer{"a": failed(1), "b": failed(3)}, true},
		"two that started failed, once": {map[types.UID]poll.Answer{"a": failed(1), "b": failed(1)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (&memory{answers: tt.answers}).judged(); got != tt.want {
				t.Errorf("judged: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestTake(t *testing.T) {
	t.Parallel()
	answer := func(uid string, kept bool, started time.Duration, change func(*stats.Stats)) poll.Answer {
		s := stats.Stats{Boot: uid, StartedAt: noon.Add(started)}
		change(&s)
		return poll.Answer{Tracker: poll.Tracker{UID: types.UID(uid), Accumulate: kept}, At: noon, Stats: s}
	}
	as := func(*stats.Stats) {}
	m := memory{readAt: map[types.UID]time.Time{"old": {}, "new": {}, "gone": {}}}
	m.take([]poll.Answer{answer("old", true, 0, as), answer("new", false, time.Minute, as), answer("gone", true, time.Hour, func(s *stats.Stats) { s.Draining = true })})
	if m.reading == nil || m.reading.Stats.Boot != "new" {
		t.Errorf("%+v speaks for the stream", m.reading)
	}
	if len(m.unwritten) != 1 || m.unwritten[0].Boot != "old" || !m.readAt["old"].Equal(noon) {
		t.Errorf("kept %+v, %v", m.unwritten, m.readAt)
	}
	silent := []poll.Answer{{Tracker: poll.Tracker{UID: "old"}, Err: errors.New("timeout")}, {Tracker: poll.Tracker{UID: "new"}, Err: errors.New("timeout")}}
	m.take(silent[1:])
	if m.problem != "" || m.reading.Stats.Boot != "old" {
		t.Errorf("the old one answers: %q, %+v", m.problem, m.reading)
	}
	m.take([]poll.Answer{answer("new", false, time.Minute, as)})
	if m.problem != "" || m.reading.Stats.Boot != "new" {
		t.Errorf("both answer: %q, %+v", m.problem, m.reading)
	}
	m.take(silent)
	if m.problem != "timeout" || m.reading.Stats.Boot != "new" {
		t.Errorf("none answers: %q, %+v", m.problem, m.reading)
	}
	m.take(nil)
	if m.problem != "timeout" {
		t.Errorf("no news: %q", m.problem)
	}
	m.take([]poll.Answer{answer("new", false, 0, as)})
	if m.problem != "" {
		t.Errorf("one answers again: %q", m.problem)
	}
}
