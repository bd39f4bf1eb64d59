package telemetry

import (
	"encoding/binary"
	"math"
	"strings"
)

// Counters, sources and times of a session are packed as differences of variable length: most are small, and any value up to the
// largest fits. A session with three renditions takes about a third of what fixed integers do.

// maxNames bounds the names of renditions that are kept once for all sessions; a session keeps further ones itself.
const maxNames = 1024

// names are names of renditions by number.
type names struct {
	numbers map[string]uint64 // from 1
	texts   []string
}

// number returns the number of a name; 0: it has none. add says that it may get one.
func (n *names) number(name string, add bool) uint64 {
	if number := n.numbers[name]; number > 0 || !add || len(n.texts) >= maxNames {
		return number
	}
	if n.numbers == nil {
		n.numbers = map[string]uint64{}
	}
	name = strings.Clone(name) // which may be a part of a report
	n.texts = append(n.texts, name)
	n.numbers[name] = uint64(len(n.texts))
	return n.numbers[name]
}

// What the first byte of a packed session says.
const (
	mediaKnown  = 1 << iota // budget.known
	allRead                 // counters are those of the last reading
	allKept                 // what was read is stored
	someChecked             // checks follow
	mayReceive              // budget.received is all that is available at once
	mayUpload               // budget.uploaded is
)

// What the first byte of a packed rendition says.
const (
	longPlayed  = 1 << iota // for longer than it takes to settle
	justRose                // with the last report
	neverRose               //
	nothingSeen             // of it, no bytes
)

// packer appends integers.
type packer struct{ b []byte }

func (p *packer) byte(v byte)   { p.b = append(p.b, v) }
func (p *packer) uint(v uint64) { p.b = binary.AppendUvarint(p.b, v) }

// below appends how far v is below of. Every difference returns as it was; those that are not negative are short.
func (p *packer) below(of, v int64) { p.uint(uint64(of - v)) }

// room appends a part of a budget. It is cut to whole bytes, and to what no report can claim.
func (p *packer) room(v float64) { p.uint(uint64(min(max(v, 0), 1<<60))) }

func (p *packer) counters(of, c Counters) {
	p.below(of.HTTP, c.HTTP)
	p.below(of.Seeder, c.Seeder)
	p.below(of.Viewer, c.Viewer)
	p.below(of.Discarded, c.Discarded)
	p.below(of.Uploaded, c.Uploaded)
}

// pack stores what a report changed in the session's record.
func (a *Aggregate) pack(s *session) {
	p := packer{a.buffer[:0]}
	var head byte
	burst := float64(a.cfg.BurstBytes) // what exceeds it is not kept, see grant
	for bit, on := range [...]bool{s.budget.known, s.read == s.counters, s.kept == s.read, s.checks != (Checks{}),
		s.budget.received >= burst, s.budget.uploaded >= burst} {
		if on {
			head |= 1 << bit
		}
	}
	p.byte(head)
	p.uint(uint64(s.sequence))
	p.below(s.last, s.began)
	for _, n := range [...]int64{s.counters.HTTP, s.counters.Seeder, s.counters.Viewer, s.counters.Discarded, s.counters.Uploaded} {
		p.uint(uint64(n))
	}
	if head&allRead == 0 {
		p.counters(s.counters, s.read)
	}
	if head&allKept == 0 {
		p.counters(s.counters, s.kept)
	}
	p.uint(s.walk)
	p.uint(uint64(s.stalls))
	p.uint(uint64(s.stallMs))
	p.uint(uint64(s.startupMs))
	if head&someChecked != 0 {
		for _, n := range [...]int64{s.checks.Right, s.checks.Wrong, s.checks.Unknown, s.checks.Unproven} {
			p.uint(uint64(n))
		}
	}
	p.b = binary.LittleEndian.AppendUint32(p.b, math.Float32bits(float32(s.allowance)))
	if head&mayReceive == 0 {
		p.room(s.budget.received)
	}
	if head&mayUpload == 0 {
		p.room(s.budget.uploaded)
	}
	p.room(s.budget.media)
	for i := range s.played {
		a.packPlaying(&p, s, &s.played[i])
	}
	a.buffer = p.b
	if len(p.b) > cap(s.packed) { // append would leave room that most sessions never need
		s.packed = append([]byte(nil), p.b...)
		return
	}
	s.packed = append(s.packed[:0], p.b...)
}

func (a *Aggregate) packPlaying(p *packer, s *session, one *playing) {
	var head byte
	age := s.last - one.began
	for bit, on := range [...]bool{age >= int64(settled), one.rose == s.last, one.rose == 0, one.bytes == (Sources{})} {
		if on {
			head |= 1 << bit
		}
	}
	p.byte(head)
	// What strangers invent must not use the numbers up.
	_, known := a.renditions[one.key]
	number := a.names.number(one.key, known || one.key == "" || a.renditions == nil)
	p.uint(number)
	if number == 0 {
		p.uint(uint64(len(one.key)))
		p.b = append(p.b, one.key...)
	}
	if head&longPlayed == 0 {
		p.below(s.last, one.began)
	}
	if head&(justRose|neverRose) == 0 {
		p.below(s.last, one.rose)
	}
	if head&nothingSeen == 0 {
		b := one.bytes
		for _, n := range [...]int64{b.Origin, b.SeederInside, b.SeederOutside, b.ViewerInside, b.ViewerOutside} {
			p.uint(uint64(n))
		}
	}
}

// unpacker reads what a packer wrote.
type unpacker struct{ b []byte }

func (u *unpacker) byte() byte {
	v := u.b[0]
	u.b = u.b[1:]
	return v
}

func (u *unpacker) uint() uint64 {
	v, n := binary.Uvarint(u.b)
	u.b = u.b[n:]
	return v
}

func (u *unpacker) int() int64           { return int64(u.uint()) }
func (u *unpacker) below(of int64) int64 { return of - u.int() }
func (u *unpacker) float32() (v float32) {
	v, u.b = math.Float32frombits(binary.LittleEndian.Uint32(u.b)), u.b[4:]
	return v
}
func (u *unpacker) text(length int) string { v := string(u.b[:length]); u.b = u.b[length:]; return v }

func (u *unpacker) counters(of Counters) Counters {
	return Counters{HTTP: u.below(of.HTTP), Seeder: u.below(of.Seeder), Viewer: u.below(of.Viewer), Discarded: u.below(of.Discarded),
		Uploaded: u.below(of.Uploaded)}
}

// unpack reads a session from its record.
func (a *Aggregate) unpack(s *session, id recordID) {
	r := a.records.at(id)
	u := unpacker{r.packed}
	head := u.byte()
	*s = session{record: r, id: id, played: s.played[:0]}
	s.sequence = u.int()
	s.began = u.below(r.last)
	s.counters = Counters{HTTP: u.int(), Seeder: u.int(), Viewer: u.int(), Discarded: u.int(), Uploaded: u.int()}
	s.read = s.counters
	if head&allRead == 0 {
		s.read = u.counters(s.counters)
	}
	s.kept = s.read
	if head&allKept == 0 {
		s.kept = u.counters(s.counters)
	}
	s.walk = u.uint()
	s.stalls = int(u.int())
	s.stallMs = u.int()
	s.startupMs = u.int()
	if head&someChecked != 0 {
		s.checks = Checks{Right: u.int(), Wrong: u.int(), Unknown: u.int(), Unproven: u.int()}
	}
	s.allowance = float64(u.float32())
	burst := float64(a.cfg.BurstBytes)
	s.budget = budget{received: burst, uploaded: burst, known: head&mediaKnown != 0}
	if head&mayReceive == 0 {
		s.budget.received = float64(u.int())
	}
	if head&mayUpload == 0 {
		s.budget.uploaded = float64(u.int())
	}
	s.budget.media = float64(u.int())
	for len(u.b) > 0 {
		s.played = append(s.played, a.unpackPlaying(&u, r.last))
	}
}

func (a *Aggregate) unpackPlaying(u *unpacker, last int64) (p playing) {
	head := u.byte()
	if number := u.uint(); number > 0 {
		p.key = a.names.texts[number-1]
	} else {
		p.key = u.text(int(u.uint()))
	}
	p.began = last - int64(settled)
	if head&longPlayed == 0 {
		p.began = u.below(last)
	}
	switch {
	case head&neverRose != 0:
	case head&justRose != 0:
		p.rose = last
	default:
		p.rose = u.below(last)
	}
	if head&nothingSeen == 0 {
		p.bytes = Sources{Origin: u.int(), SeederInside: u.int(), SeederOutside: u.int(), ViewerInside: u.int(), ViewerOutside: u.int()}
	}
	return p
}
