// Package peer makes what peers say to trackers: ids, offers and descriptions.
package peer
