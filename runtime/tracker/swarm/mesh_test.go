package swarm

import (
	"fmt"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// TestMesh: pairs are connected once an offer was answered, and not before; who leaves is not in it any more.
func TestMesh(t *testing.T) {
	w := newWorld(t, immediate())
	w.announce("S", 1, 0)
	w.announce("a", 2, 5)
	if nodes, links, all := w.core.Mesh(10); len(nodes) != 2 || all != 2 || len(links) != 0 {
		t.Fatalf("%d nodes, links %v before an answer", len(nodes), links)
	}
	if w.answerAll("S", 1) == 0 {
		t.Fatal("the seeder got no offer")
	}
	w.announce("b", 3, 5)
	w.answerAll("S", 1)
	nodes, links, _ := w.core.Mesh(10)
	if len(nodes) != 3 || nodes[0].Socket != w.sock("S") || nodes[1].Socket != w.sock("a") || nodes[2].Socket != w.sock("b") {
		t.Fatalf("%+v", nodes)
	}
	if fmt.Sprint(links) != "[[0 1] [0 2]]" {
		t.Errorf("links %v", links)
	}
	w.answerAll("a", 2)
	if _, links, _ := w.core.Mesh(10); len(links) != 3 {
		t.Errorf("links %v with the one between viewers", links)
	}
	if nodes, links, all := w.core.Mesh(2); len(nodes) != 2 || all != 3 || len(links) != 1 {
		t.Errorf("with two nodes at most: %d of %d, links %v", len(nodes), all, links)
	}
	w.receive(w.core.Close(w.sock("a")))
	if nodes, links, _ := w.core.Mesh(10); len(nodes) != 2 || len(links) != 1 {
		t.Errorf("after one left: %d nodes, links %v", len(nodes), links)
	}
	w.check()
}

// TestMeshOfSeveralSwarms: a socket is one node, and a pair has one link, in however many swarms it is.
func TestMeshOfSeveralSwarms(t *testing.T) {
	w := newWorld(t, immediate())
	for i := range 3 {
		hash := hashOne
		hash[0] = byte(i)
		in := func(name string, id, offers int) {
			m := w.announceMessage(id, offers)
			m.InfoHash = hash
			w.handle(w.sock(name), m)
		}
		in("S", 1, 0)
		in("a", 2, 3)
		for _, o := range w.take("S", signaling.KindOffer) {
			w.answer("S", 1, o)
		}
	}
	if nodes, links, all := w.core.Mesh(10); len(nodes) != 2 || all != 2 || len(links) != 1 {
		t.Errorf("%d nodes of %d, links %v", len(nodes), all, links)
	}
}
