package signaling

import (
	"errors"
	"strings"
	"testing"
)

const (
	hashA = `"info_hash":"tlCIAIrI13koYCQLatNp"`
	peerA = `"peer_id":"-PM0203-b3CDaKzslw3v"`
)

func TestParseClientMessageRefuses(t *testing.T) {
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	for name, c := range map[string]struct {
		raw  string
		want error
	}{
		"nothing":            {"", ErrSyntax},
		"null":               {"null", ErrNotObject},
		"array":              {"[]", ErrNotObject},
		"number":             {" -1.5e+3 ", ErrNotObject},
		"bad number":         {"01", ErrSyntax},
		"text":               {`"announce"`, ErrNotObject},
		"half an object":     {`{"action":`, ErrSyntax},
		"two objects":        {`{}{}`, ErrSyntax},
		"trailing comma":     {`{"action":"announce",}`, ErrSyntax},
		"control character":  {"{\"action\":\"a\nb\"}", ErrSyntax},
		"bad escape":         {`{"action":"\x"}`, ErrSyntax},
		"short escape":       {`{"action":"\u12"}`, ErrSyntax},
		"broken sdp":         {`{"action":"announce",` + hashA + `,` + peerA + `,"offers":[{"offer":{"sdp":"a\q"},"offer_id":"x"}]}`, ErrSyntax},
		"not UTF-8":          {"{\"action\":\"\xff\"}", ErrUTF8},
		"deep":               {`{"x":` + deep + `}`, ErrSyntax},
		"no action":          {`{}`, ErrAction},
		"action is a number": {`{"action":1}`, ErrAction},
		"too long":           {`{"x":"` + strings.Repeat("x", 70000) + `"}`, ErrTooLarge},
		"peer id of runes":   {`{"action":"announce",` + hashA + `,"peer_id":"日本語日本語日本語日本語日本語日本語日本"}`, ErrPeerID},
		"answer is text":     {`{"action":"announce",` + hashA + `,` + peerA + `,"to_peer_id":"-PM0203-b3CDaKzslw3v","answer":"x","offer_id":"x"}`, ErrAnswer},
		"no offer id":        {`{"action":"announce",` + hashA + `,` + peerA + `,"to_peer_id":"-PM0203-b3CDaKzslw3v","answer":{"sdp":"x"}}`, ErrOfferID},
		"many scrapes":       {`{"action":"scrape","info_hash":[` + strings.Repeat(`"tlCIAIrI13koYCQLatNp",`, 64) + `"x"]}`, ErrScrape},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseClientMessage([]byte(c.raw), Limits{}); !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
		})
	}
}

func TestParseClientMessageTolerates(t *testing.T) {
	head := `{"action":"announce",` + hashA + `,` + peerA
	for name, c := range map[string]struct {
		raw             string
		offers, dropped int
		numWant         int
	}{
		"escaped key and value": {`{"\u0061ction":"\u0061nnounce","info_hash":"\u0074lCIAIrI13koYCQLatNp",` + peerA + `}`, 0, 0, -1},
		"offers with null":      {head + `,"offers":[null],"numwant":1}`, 0, 1, 1},
		"offers of all sorts":   {head + `,"offers":[1,"x",[],{},{"offer":{"sdp":"s"},"offer_id":"i"}]}`, 1, 4, -1},
		"wrong type":            {head + `,"offers":[{"offer":{"type":"answer","sdp":"s"},"offer_id":"i"}]}`, 0, 1, -1},
		"offer id is a number":  {head + `,"offers":[{"offer":{"sdp":"s"},"offer_id":7}]}`, 0, 1, -1},
		"eleven offers":         {head + `,"offers":[` + strings.Repeat(`{"offer":{"sdp":"s"},"offer_id":"i"},`, 10) + `{"offer":{"sdp":"s"},"offer_id":"i"}]}`, 10, 1, -1},
		"offers twice":          {head + `,"offers":[1,2],"offers":[]}`, 0, 0, -1},
		"numwant 5.0":           {head + `,"numwant":5.0}`, 0, 0, 5},
		"numwant 1e1":           {head + `,"numwant":1e1}`, 0, 0, 10},
		"numwant text":          {head + `,"numwant":"5"}`, 0, 0, -1},
		"numwant negative":      {head + `,"numwant":-1}`, 0, 0, -1},
		"numwant huge":          {head + `,"numwant":1e300}`, 0, 0, -1},
		"answer null":           {head + `,"answer":null}`, 0, 0, -1},
		"white space":           {" \t\r\n" + head + " } ", 0, 0, -1},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := ParseClientMessage([]byte(c.raw), Limits{})
			if err != nil || m.Action != ActionAnnounce {
				t.Fatalf("action %v, error %v", m.Action, err)
			}
			if len(m.Offers) != c.offers || m.Dropped != c.dropped || m.NumWant != c.numWant {
				t.Fatalf("offers %d, dropped %d, numwant %d", len(m.Offers), m.Dropped, m.NumWant)
			}
		})
	}
}

func TestFailureNamesTheInfoHashAsSpelled(t *testing.T) {
	m, err := ParseClientMessage([]byte(`{"action":"announce","info_hash":"\u0073hort"}`), Limits{})
	got := string(AppendFailure(nil, m.Action, m.RawInfoHash, err.Error()))
	if want := `{"action":"announce","failure reason":"invalid info_hash","info_hash":"\u0073hort"}`; got != want {
		t.Fatalf("got %s", got)
	}
}

func TestIDsAreBinary(t *testing.T) {
	var all [256]byte
	for i := range all {
		all[i] = byte(i)
	}
	for i := 0; i+IDLength <= len(all); i += 12 {
		id := ID(all[i : i+IDLength])
		spelled := AppendID(nil, id)
		back, ok := parseID(spelled[1 : len(spelled)-1])
		if !ok || back != id {
			t.Fatalf("%q came back as %q", id, back)
		}
	}
	if _, err := MakeID("short"); err == nil {
		t.Fatal("a short id was made")
	}
}

func TestKeyIgnoresSpelling(t *testing.T) {
	same := []Raw{Raw(`"a\u0019Û😀"`), Raw(`"\u0061\u0019\u00db\ud83d\ude00"`), Raw(`"a\u0019\u00DB😀"`)}
	for _, r := range same {
		if r.Key() != same[0].Key() {
			t.Fatalf("%s differs", r)
		}
	}
	if Raw(`"a"`).Key() == Raw(`"b"`).Key() {
		t.Fatal("different texts are equal")
	}
}

func TestParseTrackerMessage(t *testing.T) {
	for name, c := range map[string]struct {
		raw  string
		kind Kind
		err  error
	}{
		"warning":          {`{"action":"announce","warning message":"w"}`, KindUnknown, nil},
		"failure bare":     {`{"failure reason":"f"}`, KindFailure, nil},
		"failure number":   {`{"failure reason":5}`, KindFailure, nil},
		"offer in a reply": {`{"action":"announce","interval":5,` + hashA + `,` + peerA + `,"offer":{"type":"offer","sdp":"s"},"offer_id":"i"}`, KindOffer, nil},
		"null offer":       {`{"action":"announce","interval":5,` + hashA + `,"offer":null}`, KindReply, nil},
		"no offer id":      {`{"action":"announce",` + hashA + `,` + peerA + `,"offer":{"type":"offer","sdp":"s"}}`, KindUnknown, ErrOfferID},
		"no peer id":       {`{"action":"announce",` + hashA + `,"offer":{"type":"offer","sdp":"s"},"offer_id":"i"}`, KindUnknown, ErrPeerID},
		"strange":          {`{"action":"dance"}`, KindUnknown, nil},
		"null":             {`null`, KindUnknown, ErrNotObject},
		"huge interval":    {`{"action":"announce","interval":1e9}`, KindReply, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := ParseTrackerMessage([]byte(c.raw))
			if !errors.Is(err, c.err) || (err == nil && m.Kind != c.kind) || m.Interval > maxInterval {
				t.Fatalf("got %+v, %v", m, err)
			}
		})
	}
}
