package swarm

// list is peers in no order, each at most once.
type list struct {
	peers []*Peer
	// pos returns where a peer keeps its position, −1 if it is not listed.
	pos func(*Peer) *int
}

func (l *list) set(p *Peer, listed bool) {
	switch at := l.pos(p); {
	case !listed:
		l.remove(p)
	case *at < 0:
		*at = len(l.peers)
		l.peers = append(l.peers, p)
	}
}

func (l *list) remove(p *Peer) {
	at := l.pos(p)
	if *at < 0 {
		return
	}
	last := l.peers[len(l.peers)-1]
	l.peers[*at] = last
	*l.pos(last) = *at
	l.peers[len(l.peers)-1] = nil
	l.peers = l.peers[:len(l.peers)-1]
	*at = -1
}

func ofSeederless(p *Peer) *int { return &p.seederless }
func ofInsideless(p *Peer) *int { return &p.insideless }
func ofCrossing(p *Peer) *int   { return &p.crossing }
func ofMembers(p *Peer) *int    { return &p.memberAt }
