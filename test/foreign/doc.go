// Package foreign runs our seeder and viewers on trackers that are not ours: the published bittorrent-tracker server,
// a server as strict as wt-tracker (package strict), several trackers at once, and trackers that go away; with
// foreign clients beside them that vanish and leave ghosts behind (package ghost).
package foreign
