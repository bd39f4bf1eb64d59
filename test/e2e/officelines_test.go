//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/test/e2e/cluster"
)

// What a datagram with media holds: 1,163 bytes of it (an SCTP packet of 1,191 without its header of 12 and that of the
// chunk of 16), in a DTLS record with 37 bytes more. Smaller datagrams hold a smaller share, so that a line seems to carry
// a little more than it does.
const (
	ipHeaders    = 20 + 8
	mediaOfUDP   = 1163.0 / (1191 + 37)
	officeBuffer = 4 * officeSegment // what players hold back, which newcomers get at once
)

// lineReading is what lines and status said at one moment.
type lineReading struct {
	at       time.Time
	lines    map[string]cluster.Line
	fetched  map[string]int64 // bytes of segments from the origin, by office
	observed time.Time        // of the figures in status
	sites    []v1.SiteStatus
}

// lineLog keeps all readings.
type lineLog struct {
	offices  []*cluster.Office
	readings []lineReading
}

// read takes a reading and returns its place.
func (l *lineLog) read(ctx context.Context, s *v1.P2PStream) int {
	GinkgoHelper()
	lines, err := lab.Lines(ctx)
	Expect(err).NotTo(HaveOccurred())
	r := lineReading{at: time.Now(), lines: lines, fetched: map[string]int64{}}
	for _, o := range l.offices {
		r.fetched[o.Name] = segmentsFrom(o)
	}
	status := current(ctx, s).Status
	r.sites = status.Sites
	if o := status.Offload; o != nil && o.ObservedAt != nil {
		r.observed = o.ObservedAt.Time
	}
	l.readings = append(l.readings, r)
	return len(l.readings) - 1
}

// settle reads until the viewers have what they missed before they came: until in a span of two segments each line carried
// no more than three. On a busy machine that takes longer. It gives up after a while: then the lines are judged as they are.
func (l *lineLog) settle(ctx context.Context, s *v1.P2PStream, offices []*cluster.Office) {
	GinkgoHelper()
	const span, most, patience = 2 * officeSegment, 3.0, 10 * officeSegment
	begun := l.readings[len(l.readings)-1].at
	calm := func() bool {
		last := l.readings[len(l.readings)-1]
		i := slices.IndexFunc(l.readings, func(r lineReading) bool { return last.at.Sub(r.at) <= span })
		if last.at.Sub(begun) < span || i == 0 {
			return false
		}
		for _, o := range offices {
			if media(o.Name, l.readings[i-1], last) > most*published(officeSegment) {
				return false
			}
		}
		return true
	}
	for end := begun.Add(patience); !calm() && time.Now().Before(end); time.Sleep(time.Second) {
		l.read(ctx, s)
	}
}

// media is what a line carried of the stream between two readings.
func media(office string, a, b lineReading) float64 {
	udp := b.lines[office].UDP.Since(a.lines[office].UDP)
	return float64(udp.Bytes-ipHeaders*udp.Packets)*mediaOfUDP + float64(b.fetched[office]-a.fetched[office])
}

// published is what one copy of the stream has in a time.
func published(d time.Duration) float64 { return d.Seconds() * officeRate / 8 }

// judge fills in what the lines say of an office between two readings.
func (l *lineLog) judge(r *officeResult, from, to int) {
	first, a, b := l.readings[0], l.readings[from], l.readings[to]
	line := b.lines[r.Office].Since(a.lines[r.Office])
	once := published(b.at.Sub(a.at))
	r.Copies = media(r.Office, a, b) / once
	r.Wire = float64(line.Down) / once
	r.WithJoins = media(r.Office, first, b) / published(b.at.Sub(first.at)+officeBuffer)
	r.Between = line.Offices.Packets
	r.HTTP = b.fetched[r.Office] - a.fetched[r.Office]
	r.Said, r.Meant = l.said(r.Office, from)
}

// lookedBack is when the minute began that the figures of a reading stand for.
func (r lineReading) lookedBack() time.Time { return r.observed.Add(-statusSpan - reportLag) }

// saidSince tells whether the figures of a reading are of a time after another reading.
func (l *lineLog) saidSince(from, reading int) bool {
	return l.readings[reading].lookedBack().After(l.readings[from].at)
}

// course says what the line carried from one reading to the next, in segments.
func (l *lineLog) course(office string, from int) string {
	var b strings.Builder
	for i := from + 1; i < len(l.readings); i++ {
		a, r := l.readings[i-1], l.readings[i]
		_, _ = fmt.Fprintf(&b, "%.1f:%.2f ", r.at.Sub(l.readings[from].at).Seconds(), media(office, a, r)/published(officeSegment))
	}
	return b.String()
}

// sinceBegin says what the lines carried from the first reading on, in segments.
func (l *lineLog) sinceBegin(to int) string {
	var all []string
	for _, o := range l.offices {
		all = append(all, fmt.Sprintf("%s %.1f", o.Name, media(o.Name, l.readings[0], l.readings[to])/published(officeSegment)))
	}
	return strings.Join(all, ", ")
}

// said returns the mean of the copies in status since a reading, and the mean of those on the line in the minutes that they
// stand for; NaN without such a minute.
func (l *lineLog) said(office string, from int) (said, meant float64) {
	n := 0
	for i, r := range l.readings {
		if !l.saidSince(from, i) {
			continue
		}
		for _, site := range r.sites {
			copies, err := strconv.ParseFloat(site.Copies, 64)
			if site.Name != office || err != nil {
				continue
			}
			said += copies
			meant += l.nearest(office, r.observed, copies)
			n++
		}
	}
	if n == 0 {
		return math.NaN(), math.NaN()
	}
	return said / float64(n), meant / float64(n)
}

// nearest returns, of the copies on the line in the minutes that the figures of a moment can stand for, those that are nearest
// to what was said: the last reports of viewers are up to an interval old.
func (l *lineLog) nearest(office string, observed time.Time, said float64) float64 {
	best := math.Inf(1)
	for lag := time.Duration(0); lag <= reportLag; lag += reportLag / 10 {
		copies := (l.mediaAt(office, observed.Add(-lag)) - l.mediaAt(office, observed.Add(-lag-statusSpan))) / published(statusSpan)
		if math.Abs(copies-said) < math.Abs(best-said) {
			best = copies
		}
	}
	return best
}

// mediaAt is what the line had carried at a moment, between readings in proportion.
func (l *lineLog) mediaAt(office string, at time.Time) float64 {
	first := l.readings[0]
	for i, r := range l.readings[1:] {
		if before := l.readings[i]; !r.at.Before(at) {
			share := float64(at.Sub(before.at)) / float64(r.at.Sub(before.at))
			return media(office, first, before) + share*media(office, before, r)
		}
	}
	return media(office, first, l.readings[len(l.readings)-1])
}
