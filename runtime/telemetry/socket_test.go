package telemetry

import (
	"encoding/json"
	"testing"
)

func TestReportsOverSockets(t *testing.T) {
	body, err := json.Marshal(viewer(7, 100))
	if err != nil {
		t.Fatal(err)
	}
	message := FrameReport(body)
	if !IsReport(message) || IsReport(body) || IsReport([]byte(`{"action":"announce"}`)) {
		t.Error("reports are not told from other messages")
	}
	if r, err := DecodeReport(message); err != nil || r.Sequence != 7 || r.Counters.HTTP != 100 {
		t.Errorf("%+v %v", r, err)
	}
	answer := FrameAnswer([]byte(`{"nextMs":5000}`))
	// What a WebTorrent client reads: the reply to an announce in a swarm that it is not in.
	var m struct {
		Action   string
		InfoHash string `json:"info_hash"`
	}
	if err := json.Unmarshal(answer, &m); err != nil || m.Action != "announce" || len(m.InfoHash) != 20 {
		t.Errorf("%+v %v", m, err)
	}
	if got, ok := Answer(answer); !ok || string(got) != `{"nextMs":5000}` {
		t.Errorf("%s %v", got, ok)
	}
	for _, other := range []string{"", "{}", `{"action":"announce","info_hash":"x"}`, answerHead} {
		if _, ok := Answer([]byte(other)); ok {
			t.Errorf("%q is an answer", other)
		}
	}
}
