package main

import "strings"

// Names of the programs that are there throughout, and of the one that is not.
const (
	originName  = "origin"
	stunName    = "stun"
	trackerName = "tracker"
	keptSeeder  = "seeder-a"
	otherSeeder = "seeder-b"
	crowdName   = "crowd"
	playerName  = "player-" // and a number
	comerName   = "comer-"  // and a number: viewers that come and go
)

func isComer(name string) bool { return strings.HasPrefix(name, comerName) }

// isViewer tells whether a program plays, and is there throughout.
func isViewer(name string) bool { return name == crowdName || strings.HasPrefix(name, playerName) }

// isKept tells whether a program is there throughout.
func isKept(name string) bool { return !isComer(name) && name != otherSeeder }
