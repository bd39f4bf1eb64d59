package manifest

import "slices"

// What bounds the part of a playlist that is kept, as labels of a metric.
const (
	boundSegments = "segments"
	boundURLs     = "urls"
	boundText     = "text"
)

// newest holds the last entries of a playlist: at most maxEntries, with URLs of
// at most maxNamed bytes. Those before are counted, so that numbers and times are
// right, and forgotten. The zero value is ready.
type newest struct {
	text *keptText // nil: the text is not kept

	list  []entry
	first int // of list that is kept
	named int // bytes of the URLs kept

	seen           int64 // entries in all
	omitted        int64 // of them
	omittedSeconds float64
	bound          string // what made it forget first
}

func (n *newest) add(e entry) {
	if n.text != nil {
		e.end = n.text.read
	}
	n.list = append(n.list, e)
	n.seen++
	n.named += len(e.url)
	for len(n.list)-n.first > 1 {
		why := n.excess()
		if why == "" {
			return
		}
		if n.bound == "" {
			n.bound = why
		}
		n.forget()
	}
}

func (n *newest) excess() string {
	switch {
	case len(n.list)-n.first > maxEntries:
		return boundSegments
	case n.named > maxNamed:
		return boundURLs
	case n.text != nil && n.text.size() > n.text.most:
		return boundText
	}
	return ""
}

// forget drops the oldest entry.
func (n *newest) forget() {
	e := n.list[n.first]
	n.list[n.first] = entry{}
	n.first++
	n.omitted++
	n.omittedSeconds += e.seconds
	n.named -= len(e.url)
	if n.text != nil {
		n.text.forget(e.end)
	}
	// Moved down now and then, so that each entry is moved once on average.
	if n.first > 64 && n.first > len(n.list)/2 {
		n.list, n.first = slices.Delete(n.list, 0, n.first), 0
	}
}

// entries are those kept, oldest first.
func (n *newest) entries() []entry { return n.list[n.first:] }

// last is the newest entry, nil without one.
func (n *newest) last() *entry {
	if len(n.list) == n.first {
		return nil
	}
	return &n.list[len(n.list)-1]
}
