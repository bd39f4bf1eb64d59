package media

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var errShort = errors.New("box is too short")

// boxes calls each for every box in b, with its type, its whole and its body.
func boxes(b []byte, each func(kind string, box, body []byte) error) error {
	for len(b) > 0 {
		if len(b) < 8 {
			return errShort
		}
		size := uint64(binary.BigEndian.Uint32(b))
		if size < 8 || size > uint64(len(b)) {
			return fmt.Errorf("box %q has size %d of %d", b[4:8], size, len(b))
		}
		if err := each(string(b[4:8]), b[:size], b[8:size]); err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}

// find returns the body of the first box at the end of path.
func find(b []byte, path ...string) (body []byte, err error) {
	body = b
	for _, name := range path {
		var found []byte
		err := boxes(body, func(kind string, _, inner []byte) error {
			if kind == name && found == nil {
				found = inner
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if found == nil {
			return nil, fmt.Errorf("no box %s", name)
		}
		body = found
	}
	return body, nil
}

// parseTrack reads a fragmented MP4 file with one track.
func parseTrack(name string, file []byte) (*Track, error) {
	t := &Track{Name: name}
	stsd, err := find(file, "moov", "trak", "mdia", "minf", "stbl", "stsd")
	if err != nil {
		return nil, err
	}
	if len(stsd) < 16 {
		return nil, errShort
	}
	t.Entry = stsd[8:]
	switch kind := string(t.Entry[4:8]); kind {
	case "avc1":
		err = t.videoEntry(t.Entry)
	case "mp4a":
		err = t.audioEntry(t.Entry)
	default:
		err = fmt.Errorf("unknown codec %q", kind)
	}
	if err != nil {
		return nil, err
	}
	var run run
	err = boxes(file, func(kind string, _, body []byte) error {
		switch kind {
		case "moof":
			run, err = parseRun(body)
			return err
		case "mdat":
			return t.take(run, body)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// run is what a fragment says about the samples in the mdat after it.
type run struct {
	sizes []uint32
}

// parseRun reads the sizes of the samples of a moof with one track run
// (ISO/IEC 14496-12 §8.8.8). Their durations follow from the track.
func parseRun(moof []byte) (run, error) {
	tfhd, err := find(moof, "traf", "tfhd")
	if err != nil {
		return run{}, err
	}
	trun, err := find(moof, "traf", "trun")
	if err != nil {
		return run{}, err
	}
	if len(tfhd) < 8 || len(trun) < 8 {
		return run{}, errShort
	}
	defaultSize := uint32(0)
	if flags := binary.BigEndian.Uint32(tfhd) & 0xFFFFFF; flags&0x10 != 0 {
		at := 8
		for _, f := range []struct {
			flag uint32
			size int
		}{{0x1, 8}, {0x2, 4}, {0x8, 4}} {
			if flags&f.flag != 0 {
				at += f.size
			}
		}
		if len(tfhd) < at+4 {
			return run{}, errShort
		}
		defaultSize = binary.BigEndian.Uint32(tfhd[at:])
	}
	flags := binary.BigEndian.Uint32(trun) & 0xFFFFFF
	count := int(binary.BigEndian.Uint32(trun[4:]))
	at := 8
	for _, flag := range []uint32{0x1, 0x4} { // data offset, first sample's flags
		if flags&flag != 0 {
			at += 4
		}
	}
	stride, sizeAt := 0, -1
	for _, flag := range []uint32{0x100, 0x200, 0x400, 0x800} {
		if flags&flag == 0 {
			continue
		}
		if flag == 0x200 {
			sizeAt = stride
		}
		stride += 4
	}
	if count < 0 || count > 1<<20 || len(trun) < at+count*stride {
		return run{}, errShort
	}
	r := run{sizes: make([]uint32, count)}
	for i := range r.sizes {
		r.sizes[i] = defaultSize
		if sizeAt >= 0 {
			r.sizes[i] = binary.BigEndian.Uint32(trun[at+i*stride+sizeAt:])
		}
	}
	return r, nil
}

// take cuts an mdat into samples.
func (t *Track) take(r run, mdat []byte) error {
	for _, size := range r.sizes {
		if uint64(size) > uint64(len(mdat)) {
			return errShort
		}
		s := Sample{Data: mdat[:size:size], Key: true}
		mdat = mdat[size:]
		if t.Video {
			key, err := keyPicture(s.Data)
			if err != nil {
				return err
			}
			s.Key = key
		}
		t.Samples = append(t.Samples, s)
	}
	if len(mdat) != 0 {
		return fmt.Errorf("%d bytes of mdat belong to no sample", len(mdat))
	}
	return nil
}

// keyPicture reports whether an access unit holds an IDR slice, and checks the
// lengths of its NAL units, so that later code can rely on them.
func keyPicture(au []byte) (key bool, err error) {
	for len(au) > 0 {
		if len(au) < 5 {
			return false, errShort
		}
		n := uint64(binary.BigEndian.Uint32(au))
		if n == 0 || n > uint64(len(au)-4) {
			return false, errors.New("NAL unit is longer than its sample")
		}
		if au[4]&31 == 5 {
			key = true
		}
		au = au[4+n:]
	}
	return key, nil
}

// audioConfig digs the AudioSpecificConfig out of an esds body (ISO/IEC 14496-1
// §7.2.6): ES descriptor, decoder configuration, decoder specific info.
func audioConfig(esds []byte) ([]byte, error) {
	if len(esds) < 4 {
		return nil, errShort
	}
	b := esds[4:]
	for _, level := range []struct {
		tag  byte
		skip int // fixed fields before the descriptors inside
	}{{3, 3}, {4, 13}, {5, 0}} {
		if len(b) < 2 || b[0] != level.tag {
			return nil, fmt.Errorf("esds has no descriptor %d", level.tag)
		}
		n, at := 0, 1
		for {
			if at >= len(b) || at > 4 {
				return nil, errShort
			}
			n = n<<7 | int(b[at]&0x7F)
			at++
			if b[at-1]&0x80 == 0 {
				break
			}
		}
		if len(b) < at+n || n < level.skip {
			return nil, errShort
		}
		b = b[at+level.skip : at+n]
	}
	if len(b) < 2 {
		return nil, errShort
	}
	return b, nil
}
