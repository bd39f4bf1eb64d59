package shares

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/test/lab"
)

// targetVariable tells a process that it is the attackers, and whom they attack.
const targetVariable = "P2PSTREAM_TEST_FLOOD"

// attackersMain is the attackers' process. They come at once, begin with a line of its standard input, and end with that.
func attackersMain(text string) int {
	var of target
	if err := json.Unmarshal([]byte(text), &of); err != nil {
		return 1
	}
	f := newFlood(of)
	f.come()
	in := bufio.NewReader(os.Stdin)
	if _, err := in.ReadString('\n'); err == nil {
		close(f.begun)
	}
	_, _ = io.Copy(io.Discard, in)
	f.stop()
	return 0
}

// crowd is the attackers' process, seen from the test. It gets what processors tracker and audience leave: in the field attackers
// have machines of their own.
type crowd struct {
	t     *testing.T
	in    io.WriteCloser
	ended chan struct{}
	once  sync.Once
}

func startCrowd(t *testing.T, n *network) *crowd {
	t.Helper()
	of := target{Listen: n.listen, Own: ids(t, swarms(n.stats(t, flooded))), Foreign: ids(t, swarms(n.stats(t, calm)))}
	text := lab.Must[[]byte](t)(json.Marshal(of))
	cmd := exec.Command("nice", "-n", "5", lab.Must[string](t)(os.Executable()))
	cmd.Env = append(os.Environ(), targetVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	c := &crowd{t: t, in: lab.Must[io.WriteCloser](t)(cmd.StdinPipe()), ended: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.ended)
		if err := cmd.Wait(); err != nil {
			t.Errorf("running the attackers: %v", err)
		}
	}()
	t.Cleanup(c.stop)
	return c
}

// begin lets the attackers do what they came for.
func (c *crowd) begin() {
	if _, err := io.WriteString(c.in, "\n"); err != nil {
		c.t.Fatalf("telling the attackers to begin: %v", err)
	}
}

func (c *crowd) stop() {
	c.once.Do(func() { _ = c.in.Close() })
	<-c.ended
}

func ids(t *testing.T, texts []string) (all []signaling.ID) {
	t.Helper()
	for _, text := range texts {
		all = append(all, lab.Must[signaling.ID](t)(signaling.MakeID(text)))
	}
	return all
}

// judgeFlood requires that there was one: it goes on, and the tracker had to do all that it does against one.
func judgeFlood(t *testing.T, n *network, before, joined lab.Metrics) {
	t.Helper()
	now := n.tracker.Metrics(t)
	const messages = "p2pstream_tracker_messages_total"
	did := now.Since(before, "p2pstream_tracker_")
	sent := now.Since(joined, messages).Sum(messages, `name="flooded"`)
	t.Logf("%.0f messages were read of the flood while the audience was there", sent)
	if sent < attackers {
		t.Errorf("%.0f messages of %d attackers are no flood", sent, attackers)
	}
	if open := n.stats(t, flooded).ViewerSockets; open < viewerPlaces*8/10 {
		t.Errorf("the flood has %d sockets", open)
	}
	for _, want := range []struct {
		least  float64
		series string
		label  string
	}{
		{500, "p2pstream_tracker_sockets_refused_total", `limit="sockets"`},
		{1, "p2pstream_tracker_sockets_closed_total", `reason="share"`},
		{100, "p2pstream_tracker_sockets_closed_total", `reason="protocol"`},
		{100, "p2pstream_tracker_sockets_closed_total", `reason="unfinished_message"`},
		{100, "p2pstream_tracker_connections_without_request_total", ""},
		{1000, "p2pstream_tracker_limit_hits_total", `limit="info_hash_not_served"`},
		{1000, "p2pstream_tracker_offers_total", `result="to_viewer"`},
	} {
		if got := did.Sum(want.series, want.label); got < want.least {
			t.Errorf("%s{%s} grew by %v; of a flood it is %v or more", want.series, want.label, got, want.least)
		}
	}
}
