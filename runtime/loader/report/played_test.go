package report

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

func TestPlayedFitsIntoAReport(t *testing.T) {
	var all []traffic.Played
	for i := range 20 {
		all = append(all, traffic.Played{Rendition: fmt.Sprint("r", i), HTTP: 1, SeederInside: 2, SeederOutside: 3, ViewerInside: 4, ViewerOutside: 5})
	}
	all[2].Rendition, all[3].Rendition, all[4].Rendition = "", "日本", strings.Repeat("x", telemetry.MaxNameLength+1)
	all[5].Rendition = telemetry.OtherRendition
	got := Played(all)
	var sum int64
	for _, p := range got {
		sum += p.Received()
	}
	if len(got) != telemetry.MaxPlayed || sum != 20*15 || got[0] != (telemetry.Played{Rendition: "r0", Sources: telemetry.Sources{
		Origin: 1, SeederInside: 2, SeederOutside: 3, ViewerInside: 4, ViewerOutside: 5}}) || got[7].Rendition != telemetry.OtherRendition {
		t.Errorf("%d bytes in %+v", sum, got)
	}
	if got := Together(all); len(got) != 1 || got[0].Rendition != "" || got[0].Received() != 300 {
		t.Errorf("%+v", got)
	}
	if got := Played(nil); len(got) != 0 {
		t.Errorf("%+v of nothing", got)
	}
}

// TestTheLargestReportFits: with all receipts and renditions, a viewer's report is below what trackers take.
func TestTheLargestReportFits(t *testing.T) {
	const most = telemetry.MaxCounter / 8
	counters := telemetry.Counters{HTTP: most, Seeder: most, Viewer: most, Discarded: most, Uploaded: most}
	r := telemetry.Report{Version: telemetry.ReportVersion, Session: strings.Repeat("s", telemetry.MaxSessionLength), Sequence: telemetry.MaxCounter,
		Role: telemetry.RoleViewer, Counters: counters, Base: &counters, Voucher: strings.Repeat("v", 64), Peers: 200, Stalls: 1000, StallMs: 1 << 30,
		StartupMs: 10_000, Checks: &telemetry.Checks{Right: 1 << 20, Wrong: 1 << 20, Unknown: 1 << 20, Unproven: 1 << 20}}
	for i := range 4 { // two trackers have ended
		r.Receipts = append(r.Receipts, telemetry.Receipt{Boot: "0123456789abcdef", Reading: int64(1000 + i), Counters: counters})
	}
	for i := range telemetry.MaxPlayed {
		r.Played = append(r.Played, telemetry.Played{Rendition: fmt.Sprint("1080p50-aac-", i), Sources: telemetry.Sources{
			Origin: most, SeederInside: most, SeederOutside: most, ViewerInside: most, ViewerOutside: most}})
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > telemetry.MaxReportSize {
		t.Errorf("%d bytes", len(b))
	}
	if _, err := telemetry.DecodeReport(b); err != nil {
		t.Error(err)
	}
}

// TestANewSessionTellsWhatCameSince: what the session before told and the tracker took is not told again.
func TestANewSessionTellsWhatCameSince(t *testing.T) {
	n := int64(0)
	r := New(Config{URL: "http://127.0.0.1:1"}, func() telemetry.Report {
		n += 100
		return telemetry.Report{Role: telemetry.RoleViewer, Played: []telemetry.Played{{Rendition: "a", Sources: telemetry.Sources{Origin: n}}}}
	}, slog.New(slog.DiscardHandler))
	told := func() []telemetry.Played { return r.sample().Played }
	if err := r.accept(told(), nil); err != nil { // 100
		t.Fatal(err)
	}
	_ = r.accept(told(), fmt.Errorf("refused")) // 200
	r.earlier = r.played
	if got := since(told(), r.earlier); got[0].Origin != 200 { // 300, of which 100 were taken
		t.Errorf("%+v", got)
	}
}
