package tracker

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

// TestTheMapOfTheMesh: real sockets in swarms of several shards are told as a seeder with two viewers, and nothing names them.
func TestTheMapOfTheMesh(t *testing.T) {
	s := running(t, Config{AdminListen: "127.0.0.1:0", SeederToken: "secret", AllowNoOrigin: true, Shards: 4})
	seeder := dial(t, s, http.Header{"Authorization": {"Bearer secret"}}, "")
	hashes := []signaling.ID{hashOne, hashOne, hashOne}
	for i := range hashes {
		hashes[i][0] = byte(i)
		seeder.send(announce(hashes[i], peerID(1), 0))
		seeder.expect(signaling.KindReply)
	}
	for n := range 2 {
		viewer := dial(t, s, nil, "")
		for _, hash := range hashes {
			viewer.send(announce(hash, peerID(2+n), 1))
			offer := seeder.read()
			for offer.Kind != signaling.KindOffer {
				offer = seeder.read()
			}
			seeder.send(answerTo(offer, peerID(1)))
		}
	}
	var got stats.Mesh
	var text string
	eventually(t, "the mesh", func() bool {
		_, text = look(t, "http://"+s.AdminAddr().String()+viewerapi.MeshPath)
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		return len(got.Links) == 2
	})
	if len(got.Peers) != 3 || got.Peers[0].Kind != stats.MeshSeeder || got.Peers[1].Kind != stats.MeshViewer || got.More != 0 || fmt.Sprint(got.Links) != "[[0 1] [0 2]]" {
		t.Errorf("%+v", got)
	}
	for _, secret := range []string{"127.0.0.1", "PM0203", "sdp"} {
		if strings.Contains(text, secret) {
			t.Errorf("it tells %q: %s", secret, text)
		}
	}
}

// TestMeshesOfShards: one peer of several shards is one, the bound holds over all of them, and links to those that are left out go.
func TestMeshesOfShards(t *testing.T) {
	node := func(of int, kind string) meshNode {
		return meshNode{stats.MeshPeer{Kind: kind, Site: "berlin"}, of, time.Unix(int64(of), 0)}
	}
	var first, second meshPart
	for i := range stats.MaxMeshPeers {
		first.nodes = append(first.nodes, node(i, stats.MeshViewer))
		second.nodes = append(second.nodes, node(i+100, stats.MeshViewer))
		first.links = append(first.links, [2]int{0, i})
		second.links = append(second.links, [2]int{i, stats.MaxMeshPeers - 1})
	}
	first.links = first.links[1:]
	second.nodes[stats.MaxMeshPeers-1] = node(299, stats.MeshGateway)
	second.nodes[0] = node(100, stats.MeshGateway)
	second.left = 7
	got := joinMesh([]meshPart{first, second})
	if len(got.Peers) != stats.MaxMeshPeers || got.More != 107 || got.Peers[0].Kind != stats.MeshGateway || got.Peers[1].Kind != stats.MeshGateway || got.Peers[2].Kind != stats.MeshViewer {
		t.Fatalf("%d peers, %d more, %v", len(got.Peers), got.More, got.Peers[:3])
	}
	seen := map[[2]int]bool{}
	for _, link := range got.Links {
		if link[0] >= link[1] || link[1] >= len(got.Peers) || seen[link] {
			t.Fatalf("link %v", link)
		}
		seen[link] = true
	}
	if empty := joinMesh(nil); empty.Peers == nil || empty.Links == nil {
		t.Errorf("%+v", empty)
	}
}
