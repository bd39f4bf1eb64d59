package stun

import "github.com/p2pstream/p2pstream/runtime/stun/config"

// Config is the configuration of a STUN server. It is in a package of
// its own for programs that only write one, such as the operator.
type Config = config.Config
