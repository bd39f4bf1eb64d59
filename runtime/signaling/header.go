package signaling

// TrackerHeader stands in a tracker's reply to the upgrade when the tracker is one of ours: such a tracker forgives an
// answer that comes too late, forgets whoever leaves, and introduces peers by need. Where a proxy takes it out, peers
// are as careful as with any other tracker.
const TrackerHeader = "P2pstream-Tracker"
