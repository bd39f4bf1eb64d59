package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/test/soak/samples"
)

// player plays a live stream through a viewer's proxy as an HLS player does, and
// changes rendition now and then. It has a connection and a buffer, no screen.
type player struct {
	url    string // of the directory of master.m3u8
	each   span   // time in one rendition
	random *rand.Rand
	tell   func(what, detail string)
	client *http.Client

	segments, stalls, errors atomic.Int64
}

// Times of a player.
const (
	behind   = 3                      // segments behind the live edge, where it begins
	lateness = 250 * time.Millisecond // less is no stall
	again    = 500 * time.Millisecond // after an error
)

func newPlayer(addr string, each span, random *rand.Rand, tell func(what, detail string)) *player {
	return &player{url: "http://" + addr + "/", each: each, random: random, tell: tell,
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}}
}

// run plays until ctx ends; what is counted is of the last run.
func (p *player) run(ctx context.Context) {
	for _, n := range []*atomic.Int64{&p.segments, &p.stalls, &p.errors} {
		n.Store(0)
	}
	defer p.client.CloseIdleConnections()
	var variants []string
	for len(variants) == 0 {
		text, err := p.read(ctx, "master.m3u8")
		if variants = entries(text); len(variants) == 0 && !p.goOn(ctx, err) {
			return
		}
	}
	at, next := p.random.IntN(len(variants)), int64(-1)
	change := time.Now().Add(p.each.draw(p.random))
	var dry time.Time // when the buffer runs out; zero before the first segment
	for ctx.Err() == nil {
		if time.Now().After(change) && len(variants) > 1 {
			at = (at + 1 + p.random.IntN(len(variants)-1)) % len(variants)
			change = time.Now().Add(p.each.draw(p.random))
			p.tell(samples.Switch, fmt.Sprintf("to rendition %d of %d", at+1, len(variants)))
		}
		list, err := p.playlist(ctx, variants[at])
		if err != nil || len(list.uris) == 0 {
			p.goOn(ctx, err)
			continue
		}
		if last := list.first + int64(len(list.uris)); next < list.first || next > last {
			next = max(list.first, last-behind)
		}
		for next < list.first+int64(len(list.uris)) && ctx.Err() == nil && time.Now().Before(change) {
			if _, err := p.read(ctx, list.uris[next-list.first]); err != nil {
				p.goOn(ctx, err)
				break
			}
			p.segments.Add(1)
			next++
			now := time.Now()
			if !dry.IsZero() && now.After(dry.Add(lateness)) {
				p.stalls.Add(1)
			}
			if dry.Before(now) {
				dry = now
			}
			dry = dry.Add(list.target)
		}
		pause(ctx, list.target/2)
	}
}

// goOn notes what failed and waits a little; false if it is over.
func (p *player) goOn(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	p.errors.Add(1)
	p.tell(samples.Trouble, fmt.Sprint(err))
	return pause(ctx, again)
}

// playlist is a media playlist, as far as it matters here.
type playlist struct {
	first  int64
	target time.Duration
	uris   []string
}

func (p *player) playlist(ctx context.Context, uri string) (playlist, error) {
	text, err := p.read(ctx, uri)
	if err != nil {
		return playlist{}, err
	}
	list := playlist{target: time.Second, uris: entries(text)}
	dir := uri[:strings.LastIndexByte(uri, '/')+1]
	for i := range list.uris {
		list.uris[i] = dir + list.uris[i]
	}
	for line := range strings.Lines(text) {
		tag, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch tag {
		case "#EXT-X-MEDIA-SEQUENCE":
			list.first, err = strconv.ParseInt(value, 10, 64)
		case "#EXT-X-TARGETDURATION":
			var seconds int64
			seconds, err = strconv.ParseInt(value, 10, 32)
			list.target = time.Duration(max(seconds, 1)) * time.Second
		}
		if err != nil {
			return playlist{}, fmt.Errorf("reading playlist: %s: %w", tag, err)
		}
	}
	return list, nil
}

// entries are the lines of a playlist that are no tags.
func entries(text string) []string {
	var out []string
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

// read gets a file; of what is no playlist only that it all came.
func (p *player) read(ctx context.Context, uri string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+uri, nil)
	if err != nil {
		return "", fmt.Errorf("making request: %w", err)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end or given up
	if resp.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(resp.Body, 200)) // the status says enough if this fails
		return "", fmt.Errorf("%s: %s: %s", uri, resp.Status, strings.TrimSpace(string(why)))
	}
	if strings.HasSuffix(uri, ".m3u8") {
		text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		return string(text), err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return "", err
}
