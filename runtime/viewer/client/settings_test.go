package client

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

func TestSettingsAreBounded(t *testing.T) {
	many := func(format string) string {
		var all []string
		for i := range 1000 {
			all = append(all, fmt.Sprintf(format, i))
		}
		return strings.Join(all, ",")
	}
	h, err := decodeSettings([]byte(`{"streamURL":"http://o/m.m3u8","trackers":[` + many(`"ws://t%d"`) + `],
		"iceServers":[` + many(`{"urls":["stun:s%d:1","stun:x:1"]}`) + `],
		"settings":{"hlsjs":{"liveSyncDurationCount":9000000000000000000}},"telemetry":{"url":"http://t","intervalMs":-1}}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Trackers) != maxTrackers || len(h.stun()) != maxSTUN || h.Settings.HLSJS.LiveSyncDurationCount != maxLiveSync ||
		h.Telemetry.IntervalMs != minReportInterval.Milliseconds() {
		t.Errorf("%d trackers, %d STUN servers, %+v, %+v", len(h.Trackers), len(h.stun()), h.Settings, h.Telemetry)
	}
	for want, body := range map[string]string{
		"names no stream": `null`, "more than": `{"streamURL":"` + strings.Repeat("x", maxSettingsBytes) + `"}`,
		"invalid character": `<html>`, "unexpected end": `{"streamURL":"http://o/m.m3u8"`, "cannot unmarshal": `[]`,
	} {
		if _, err := decodeSettings([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", body, err, want)
		}
	}
}

func TestTypesThatAreNotShared(t *testing.T) {
	for core, want := range map[string][]identity.StreamType{
		`{}`: nil,
		`{"mainStream":{"isP2PDisabled":true},"secondaryStream":{"isP2PDisabled":false}}`: {identity.Main},
		`{"mainStream":null,"secondaryStream":{"isP2PDisabled":true}}`:                    {identity.Secondary},
	} {
		h, err := decodeSettings([]byte(`{"streamURL":"http://o/m.m3u8","settings":{"core":` + core + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := h.originOnly(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", core, got, want)
		}
	}
}

func FuzzSettings(f *testing.F) {
	f.Add([]byte(`{"streamURL":"http://o/m.m3u8","swarmID":"s","trackers":["ws://t"],"iceServers":[{"urls":["stun:s:1"]}],"seeders":1}`))
	f.Add([]byte(`{"streamURL":"x","settings":{"core":{"isP2PDisabled":true},"hlsjs":{"liveSyncDurationCount":-1}},"telemetry":{"intervalMs":1e3}}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := decodeSettings(body)
		if err != nil {
			return
		}
		count, ms := h.Settings.HLSJS.LiveSyncDurationCount, h.Telemetry.IntervalMs
		if len(h.Trackers) > maxTrackers || len(h.stun()) > maxSTUN || count < 0 || count > maxLiveSync || ms < 0 {
			t.Errorf("%q gives %+v", body, h)
		}
	})
}
