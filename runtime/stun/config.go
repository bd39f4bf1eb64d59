package stun

import "github.com/p2pstream/p2pstream/runtime/stun/config"

// Config says how a STUN server listens and what it allows. It has a package of
// its own for those who only make one.
type Config = config.Config
