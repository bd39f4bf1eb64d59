package telemetry

import (
	"crypto/sha256"
	"time"
)

// Tens of thousands of sessions rest while one reports. So what only a report needs is packed (pack.go), and a record has the
// rest: what it takes to find a session, to forget it, and to count it as live without unpacking it.

// recordKey names a session in a fixed size: the hash of its role and its key.
type recordKey [16]byte

func recordKeyOf(role Role, key string) recordKey {
	var buffer [MaxSessionLength + 16]byte
	sum := sha256.Sum256(append(append(append(buffer[:0], role...), 0), key...))
	return recordKey(sum[:])
}

// recordID is the place of a record; 0: none.
type recordID uint32

// flags are what is known of a session, in bits.
type flags uint8

const (
	seeds   flags = 1 << iota // its role is RoleSeeder
	vouched                   // another tracker said that it has a socket there
	tells                     // where its bytes came from
	alone                     // as in Sender
	counted                   // in the live sessions of its group, and of its site if it is a viewer
)

func (f *flags) set(bit flags, on bool) {
	*f &^= bit
	if on {
		*f |= bit
	}
}

// record is a session at rest. Times are those of Aggregate.clock. The order of the fields leaves no gaps between them.
type record struct {
	key            recordKey
	packed         []byte
	group          *group
	site           *site
	last           int64    // the last report
	until          int64    // it counts as live until then, unless it reports
	due            int64    // the second whose list in Aggregate.due it waits in; 0: none
	older, younger recordID // by time of the last report
	peers          int32
	plays          uint16 // which of the renditions that it told it is counted with, in bits
	flags
}

func (r *record) is(f flags) bool { return r.flags&f != 0 }

// patience is for how long a session that does not report counts as live, and a rendition that no bytes come of as played:
// segments may be longer than the interval of reports.
func (r *record) patience() time.Duration { return time.Duration(r.until - r.last) }

func (r *record) live(at int64) bool { return at <= r.until }

// known returns a record that may have been removed; nil: it was, with all others.
func (rs *records) known(id recordID) *record {
	if int(id) > len(rs.chunks)*chunk {
		return nil
	}
	return rs.at(id)
}

// chunk is how many records are allocated at once.
const chunk = 256

// records are all records, found by key, and in the order of their last reports.
type records struct {
	byKey          map[recordKey]recordID
	chunks         []*[chunk]record
	free           []recordID
	silent, recent recordID // least and most recently heard
}

func (rs *records) at(id recordID) *record { return &rs.chunks[(id-1)/chunk][(id-1)%chunk] }

// add makes a record, the most recently heard one.
func (rs *records) add(key recordKey) recordID {
	if len(rs.free) == 0 {
		first := recordID(len(rs.chunks) * chunk)
		rs.chunks = append(rs.chunks, new([chunk]record))
		for i := recordID(chunk); i > 0; i-- {
			rs.free = append(rs.free, first+i)
		}
	}
	last := len(rs.free) - 1
	id := rs.free[last]
	rs.free = rs.free[:last]
	if rs.byKey == nil {
		rs.byKey = map[recordKey]recordID{}
	}
	rs.byKey[key] = id
	rs.at(id).key = key
	rs.link(id)
	return id
}

// remove takes a record out. Its place is used again. The memory of all is given back with the last one.
func (rs *records) remove(id recordID) {
	r := rs.at(id)
	rs.unlink(id)
	delete(rs.byKey, r.key)
	*r = record{}
	rs.free = append(rs.free, id)
	if len(rs.byKey) == 0 {
		*rs = records{}
	}
}

// heard makes a record the most recently heard one.
func (rs *records) heard(id recordID) {
	if rs.recent != id {
		rs.unlink(id)
		rs.link(id)
	}
}

func (rs *records) link(id recordID) {
	r := rs.at(id)
	r.older, r.younger = rs.recent, 0
	if rs.recent != 0 {
		rs.at(rs.recent).younger = id
	} else {
		rs.silent = id
	}
	rs.recent = id
}

func (rs *records) unlink(id recordID) {
	r := rs.at(id)
	if r.older != 0 {
		rs.at(r.older).younger = r.younger
	} else {
		rs.silent = r.younger
	}
	if r.younger != 0 {
		rs.at(r.younger).older = r.older
	} else {
		rs.recent = r.older
	}
	r.older, r.younger = 0, 0
}
