package ondemand

import "time"

// Position is a player's place in a rendition, as its requests show it. The rendition's owner has it.
type Position struct {
	known    bool
	sequence int64         // of the segment asked for last
	duration time.Duration // of that segment
	at       time.Time     // when it was asked for
	asked    time.Duration // media asked for in a row
	dry      time.Time     // when the player's buffer is empty, at the earliest
	active   time.Time     // when it last asked for anything
}

// NewPosition returns the position of a player that has asked for no segment yet.
func NewPosition(now time.Time) *Position { return &Position{active: now} }

// Touch notes that the player asked for something other than a segment.
func (p *Position) Touch(now time.Time) { p.active = now }

// Active tells whether the player has asked for a segment, and for anything within the last maxIdle.
func (p *Position) Active(now time.Time, maxIdle time.Duration) bool {
	return p.known && now.Sub(p.active) < maxIdle
}

// Sequence is the media sequence of the segment asked for last.
func (p *Position) Sequence() int64 { return p.sequence }

// Asked is the media that the player asked for in a row.
func (p *Position) Asked() time.Duration { return p.asked }

// Dry is when the player's buffer is empty, at the earliest.
func (p *Position) Dry() time.Time { return p.dry }

// maxStep is how many segments a player may skip, or go back, without having
// sought to another place: gaps are not asked for, and some players ask for two
// segments at a time.
const maxStep = 3

// Move notes that the player asks for a segment. A request for the next segment
// shows that the player has the one before, which it cannot have begun to play
// before it asked for that.
func (p *Position) Move(sequence int64, duration time.Duration, now time.Time) {
	p.active = now
	step := sequence - p.sequence
	switch {
	case p.known && step == 0, p.known && step < 0 && step > -maxStep:
		return
	case !p.known || step < 0 || step > maxStep:
		p.dry, p.asked = now, 0
	default:
		if p.dry.Before(p.at) {
			p.dry = p.at
		}
		p.dry = p.dry.Add(p.duration)
	}
	p.known, p.sequence, p.duration, p.at = true, sequence, duration, now
	p.asked += duration
}
