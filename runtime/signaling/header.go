package signaling

// TrackerHeader is in the reply to the WebSocket upgrade of a p2pstream tracker. Such a tracker tolerates late answers,
// forgets peers as soon as they leave, and introduces peers by need. If a proxy removes the header, peers treat the
// tracker as they treat a third-party one.
const TrackerHeader = "P2pstream-Tracker"
