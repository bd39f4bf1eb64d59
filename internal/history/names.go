package history

import "unicode/utf8"

// names gives each name a small number, at most as many as there are places. A number is given to another name once no slot
// has it any more.
type names struct {
	ids  map[string]int
	used []place
	most int
}

type place struct {
	name  string
	slots int // that have it
}

func newNames(most int) names { return names{ids: map[string]int{}, most: most} }

// id returns the number of a name; most, if there is no place for it.
func (n *names) id(name string) int {
	name = cut(name)
	if name == Other {
		return n.most
	}
	if id, ok := n.ids[name]; ok {
		return id
	}
	id := -1
	for i, p := range n.used {
		if p.slots == 0 {
			id = i
			delete(n.ids, p.name)
			break
		}
	}
	switch {
	case id >= 0:
	case len(n.used) < n.most:
		id = len(n.used)
		n.used = append(n.used, place{})
	default:
		return n.most
	}
	n.used[id].name = name
	n.ids[name] = id
	return id
}

// all returns the names by their numbers.
func (n *names) all() []string {
	out := make([]string, len(n.used))
	for i, p := range n.used {
		out[i] = p.name
	}
	return out
}

// nameOf returns the name of a number.
func nameOf(all []string, id int) string {
	if id >= len(all) {
		return Other
	}
	return all[id]
}

// nameBytes is about what a name takes, beside its letters.
const nameBytes = 96

// bytes returns about how much memory the names take.
func (n *names) bytes() (bytes int64) {
	for _, p := range n.used {
		bytes += nameBytes + int64(len(p.name))
	}
	return bytes
}

// count returns how many names are in slots.
func (n *names) count() (count int) {
	for _, p := range n.used {
		if p.slots > 0 {
			count++
		}
	}
	return count
}

// note says that a number is in so many more slots.
func (n *names) note(id, more int) {
	if id < len(n.used) {
		n.used[id].slots += more
	}
}

// cut shortens a name, at the end of a character.
func cut(name string) string {
	if len(name) <= MaxName {
		return name
	}
	end := MaxName
	for end > 0 && !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end]
}
