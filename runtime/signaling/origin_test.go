package signaling

import (
	"strconv"
	"strings"
	"testing"
)

func TestOriginIsRead(t *testing.T) {
	const offer = `{"action":"announce",` + hashA + `,` + peerA + `,"offer":{"type":"offer","sdp":"s"},"offer_id":"i"`
	for name, c := range map[string]struct {
		member string
		want   Origin
	}{
		"none":            {``, Origin{}},
		"all":             {`,"p2pstream":{"site":"berlin","cell":3,"near":true,"gateway":true,"receiveOnly":true}`, Origin{"berlin", 3, true, true, true}},
		"escapes":         {`,"p2pstream":{"site":"K\u00f6ln","near":false}`, Origin{Site: "Köln"}},
		"to a viewer":     {`,"p2pstream":{"near":true}`, Origin{Near: true}},
		"unknown members": {`,"p2pstream":{"city":[{"x":1}],"site":"a"}`, Origin{Site: "a"}},
		"wrong types":     {`,"p2pstream":{"site":1,"cell":"2","near":"true","gateway":1,"receiveOnly":null}`, Origin{}},
		"no object":       {`,"p2pstream":"berlin"`, Origin{}},
		"null":            {`,"p2pstream":null`, Origin{}},
		"a long name":     {`,"p2pstream":{"site":"` + strings.Repeat("a", maxSiteName+1) + `"}`, Origin{}},
		"a negative cell": {`,"p2pstream":{"site":"a","cell":-1}`, Origin{Site: "a"}},
		"a large cell":    {`,"p2pstream":{"site":"a","cell":` + strconv.Itoa(maxCell+1) + `}`, Origin{Site: "a"}},
		"the last counts": {`,"p2pstream":{"site":"a","gateway":true},"p2pstream":{"site":"b"}`, Origin{Site: "b"}},
	} {
		m, err := ParseTrackerMessage([]byte(offer + c.member + `}`))
		if err != nil || m.Kind != KindOffer || m.Origin != c.want {
			t.Errorf("%s: %+v, %v", name, m.Origin, err)
		}
	}
}
