// Package viewer is the program that plays a stream without a screen: one or
// many synthetic viewers, each with its own connections, store and playback,
// and one report of what they measured. It is a thin user of package loader.
package viewer
