package schedule

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

type v3Case struct {
	ID, Kind        string
	Input, Expected json.RawMessage
}

func v3Cases(t *testing.T, kind string) []v3Case {
	t.Helper()
	folder := os.Getenv("P2PSTREAM_VECTORS")
	if folder == "" {
		folder = "testdata"
	}
	b, err := os.ReadFile(filepath.Join(folder, "v3", "schedule.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Cases []v3Case }
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	cases := slices.DeleteFunc(all.Cases, func(c v3Case) bool { return c.Kind != kind })
	if len(cases) == 0 {
		t.Fatalf("no case of %s", kind)
	}
	return cases
}

func into(t *testing.T, raw json.RawMessage, v any) {
	t.Helper()
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
}

// TestVectorV3Election compares who is elected.
func TestVectorV3Election(t *testing.T) {
	for _, c := range v3Cases(t, "election") {
		t.Run(c.ID, func(t *testing.T) {
			var in struct {
				Peers, Others []string
				Links         [][2]int
				IDs           [2]int64
				Own           string
				ID            int64
			}
			var want struct {
				OwnersPerSegment         int
				NeverBothOwn             [][2]int
				AtLeastOneOwner          bool
				SomeSegmentsOwnedOnlyByC bool
				SortedRanks              []int
				Rank                     *int
			}
			into(t, c.Input, &in)
			into(t, c.Expected, &want)
			if want.Rank != nil {
				if got := Rank(in.Own, in.Others, in.ID); got != *want.Rank {
					t.Errorf("rank %d, want %d", got, *want.Rank)
				}
				return
			}
			onlyC := false
			for id := in.IDs[0]; id <= in.IDs[1]; id++ {
				ranks := make([]int, len(in.Peers))
				owners := 0
				for i, peer := range in.Peers {
					if ranks[i] = Rank(peer, connected(in.Peers, in.Links, i), id); ranks[i] == 0 {
						owners++
					}
				}
				if (want.OwnersPerSegment != 0 && owners != want.OwnersPerSegment) || (want.AtLeastOneOwner && owners == 0) {
					t.Errorf("segment %d has %d owners", id, owners)
				}
				for _, pair := range want.NeverBothOwn {
					if ranks[pair[0]] == 0 && ranks[pair[1]] == 0 {
						t.Errorf("two neighbours own segment %d", id)
					}
				}
				onlyC = onlyC || (owners == 1 && ranks[len(ranks)-1] == 0)
				if slices.Sort(ranks); want.SortedRanks != nil && !slices.Equal(ranks, want.SortedRanks) {
					t.Errorf("segment %d has ranks %v", id, ranks)
				}
			}
			if want.SomeSegmentsOwnedOnlyByC && !onlyC {
				t.Error("no segment is owned by the last peer alone")
			}
		})
	}
}

// connected are the peers that one is connected with; all of them without links.
func connected(peers []string, links [][2]int, i int) (others []string) {
	for j, peer := range peers {
		if i != j && (links == nil || slices.Contains(links, [2]int{i, j}) || slices.Contains(links, [2]int{j, i})) {
			others = append(others, peer)
		}
	}
	return others
}

func TestScore(t *testing.T) {
	// From protocol v3, section 6.4.
	for text, want := range map[string]uint32{"": 2872998923, "abc": 482950588} {
		if got := mix(fnv(0x811c9dc5, text)); got != want {
			t.Errorf("%q gives %d, want %d", text, got, want)
		}
	}
	if got := Score("-PM0400-aaaaaaaaaaaa", 80000); got != 617488343 {
		t.Errorf("score %d", got)
	}
}

func TestVectorV3BackupDeadline(t *testing.T) {
	for _, c := range v3Cases(t, "backup_deadline") {
		var in struct {
			Rank                               int
			SecondsLeft, EstimatedFetchSeconds float64
		}
		var want struct{ FetchNow bool }
		into(t, c.Input, &in)
		into(t, c.Expected, &want)
		seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
		patience, backup := Patience(in.Rank, seconds(in.EstimatedFetchSeconds))
		if got := !backup || seconds(in.SecondsLeft) <= patience; got != want.FetchNow {
			t.Errorf("%s: %v", c.ID, got)
		}
	}
}

// TestElected: of viewers that elect, the first asks the origin as soon as it sees a segment and the others wait for it,
// until it is late. What a peer brings is waited for by all.
func TestElected(t *testing.T) {
	limits := Limits{HTTPSlots: 2, PeerSlots: 3, Urgent: 3 * time.Second, HTTPAhead: 16 * time.Second, PeerAhead: 2 * time.Minute, Patience: time.Second}
	absent := func(int64) Holding { return Absent }
	loading := func(int64) Holding { return Loading }
	for name, c := range map[string]struct {
		rank  int
		lead  time.Duration
		fetch time.Duration
		holds func(int64) Holding
		want  bool
	}{
		"the first, far ahead":                  {0, time.Minute, time.Second, absent, true},
		"the first, while another brings it":    {0, time.Minute, time.Second, loading, false},
		"a backup, far ahead":                   {1, time.Minute, time.Second, absent, false},
		"the first backup, when it is late":     {1, 5400 * time.Millisecond, time.Second, absent, true},
		"the first backup, a little earlier":    {1, 5600 * time.Millisecond, time.Second, absent, false},
		"the second backup, at the same time":   {2, 5400 * time.Millisecond, time.Second, absent, false},
		"the second backup, later":              {2, 4900 * time.Millisecond, time.Second, absent, true},
		"a backup that has fetched nothing yet": {1, 11 * time.Second, 0, absent, true},
		"and still earlier":                     {1, 12 * time.Second, 0, absent, false},
		"a backup that another brings it":       {1, 4900 * time.Millisecond, time.Second, loading, false},
	} {
		actions := Viewer(View{
			Now: time.Unix(1000, 0), Limits: limits, Peers: []Peer{{Holds: c.holds}}, Random: func() float64 { return 0 },
			Segments: []Segment{{ID: 7, Start: c.lead, Duration: 4 * time.Second, NotFrom: -1}},
			Rank:     func(int64) int { return c.rank }, FetchTime: c.fetch,
			Lottery: func(int64) float64 { t.Error(name + ": lots are drawn"); return 0 },
		})
		if got := len(actions) == 1 && actions[0].Kind == Fetch; got != c.want {
			t.Errorf("%s: %+v", name, actions)
		}
	}
}

// TestVectorV3Decision: the decisions of the reference that are those of a viewer here, too. The others differ on purpose: a
// viewer here asks a peer that holds an urgent segment before the origin, and gives it slots of its own instead of ending
// other transfers.
func TestVectorV3Decision(t *testing.T) {
	compared := 0
	for _, c := range v3Cases(t, "decision") {
		var in struct {
			Own        string
			Others     []string
			PeersHold  []int64
			Loading    []int64 `json:"loadingOverP2P"`
			HTTP       []int64 `json:"loadingOverHttp"`
			Request    int64
			Buffer     *float64 `json:"bufferAhead"`
			Reports    []struct{ BufferAhead float64 }
			Live       *struct{ Segment float64 }
			HTTPErrors *int `json:"httpErrorRetries"`
		}
		var want struct {
			P2PStarted             []int64 `json:"p2pStarted"`
			HTTPNotStarted         []int64 `json:"httpNotStarted"`
			HTTPStartedAfterReport []bool  `json:"httpStartedAfterReport"`
		}
		into(t, c.Input, &in)
		into(t, c.Expected, &want)
		if in.Loading != nil || in.HTTP != nil || (in.Live == nil && in.Buffer == nil) {
			continue
		}
		urgent := 3 * time.Second
		if in.Live != nil { // live_geometry of the same vectors: 5 s of threshold for these playlists
			urgent = 5 * time.Second
		}
		plan := func(buffer float64) []Action {
			holds := func(id int64) Holding {
				if slices.Contains(in.PeersHold, id) {
					return Loaded
				}
				return Absent
			}
			return Viewer(View{
				Now: time.Unix(1000, 0), Peers: []Peer{{Holds: holds}}, Random: func() float64 { return 0 },
				Limits:    Limits{HTTPSlots: 3, PeerSlots: 3, Urgent: urgent, HTTPAhead: time.Minute, PeerAhead: time.Minute, Patience: time.Second},
				Segments:  []Segment{{ID: in.Request, Start: time.Duration(buffer * float64(time.Second)), Duration: 4 * time.Second, NotFrom: -1}},
				FetchTime: time.Millisecond, // a fast link
				Rank:      func(id int64) int { return Rank(in.Own, in.Others, id) },
			})
		}
		if in.Live != nil {
			for i, r := range in.Reports {
				actions := plan(r.BufferAhead)
				if got := len(actions) == 1 && actions[0].Kind == Fetch; got != want.HTTPStartedAfterReport[i] {
					t.Errorf("%s, report %d: %+v", c.ID, i, actions)
				}
			}
			compared++
			continue
		}
		actions := plan(*in.Buffer)
		if want.HTTPNotStarted != nil && (len(actions) != 1 || actions[0].Kind != Request || want.P2PStarted[0] != in.Request) {
			t.Errorf("%s: %+v", c.ID, actions)
		}
		compared++
	}
	if compared != 2 {
		t.Errorf("%d decisions were compared", compared)
	}
}
