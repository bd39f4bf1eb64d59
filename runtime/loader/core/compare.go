package core

// compareEvery is one of how many segments that a seeder has from others it compares with the origin, times the number of these
// others: however many share the work, it is as much for the origin.
const compareEvery = 8

// compares tells whether a seeder compares the segment that it has just got with the origin's. Central seeders leave the origin
// together once, so the bytes that a broken cache gives to one of them would be passed on by all, and no second hash would
// contradict the first. The first segment that comes from another one is compared, and then one of many. Edge seeders ask for
// nothing twice, because the line of their site is thin; they check what they get. It counts what it is asked about.
func (c *Core) compares(from Peer, origin bool) bool {
	if origin || from == nil || !c.Config.Seeder || c.Config.Edge || !from.Seeder() {
		return false
	}
	n := c.filling.given
	c.filling.given++
	return n%(compareEvery*max(c.filling.mates, 1)) == 0
}
