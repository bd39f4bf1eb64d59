package superseed

// Mode says from which viewers segments are held back.
type Mode string

// The modes of a seeder.
const (
	Auto   Mode = "Auto"   // from those whose site the tracker tells
	Off    Mode = "Off"    // from none
	Always Mode = "Always" // from all; those without a site are one group
)

// Of tells to which group a viewer belongs; false: nothing is held back from it. seeder says that it is one by its label.
func (m Mode) Of(g Group, seeder bool) (Group, bool) {
	switch {
	case m == Off, m == "":
		return Group{}, false
	case g.Site == "" && (m != Always || seeder):
		return Group{}, false
	}
	return g, true
}
