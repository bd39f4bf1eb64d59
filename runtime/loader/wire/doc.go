// Package wire owns the peer protocol of p2p-media-loader as bytes and as decisions: commands to and from data-channel
// messages, media chunks, and the two exchange machines (Download asks, Upload answers) of one connection. It is pure:
// no clock, network, goroutine or global state; time comes in as an argument, messages and decisions come out.
//
// Sending is done in the safe form (Encode), which lenient decoders (2.x) and strict ones (3.x to 5.x) read alike.
// Receiving is as lenient as p2p-media-loader 2.3.1, with bounds on everything a peer can choose.
//
// # Where this package decides otherwise than p2p-media-loader 2.3.1
//
// Joiner, Download and Upload have a field Reference that brings back the left column, except for the bounds on pending
// commands, a field named c, the answer when a source fails, and early cancels; EncodeReference does so for Encode.
//
//	event                                     2.3.1                         here
//	----------------------------------------  ----------------------------  ---------------------------------
//	announcement: full block of 256 ids       written with count 0, lost    two groups of 128
//	announcement: more than 255 groups        group number wraps, lost      oldest ids left out
//	announcement: the same id twice           sent twice                    sent once
//	tiny maximum: empty or oversized chunks   sent                          never; an error below 9 bytes
//	announcement with a full block received   lost                          read
//	numbers beyond ±(2^53-1)                  rounded                       not sent; received: field is not there
//	unknown code, empty body received         a command without effect      ignored
//	announcement with an unreadable list      no effect, or junk            ignored (no change)
//	a field named c received                  replaces the code             skipped
//	pending command                           no bound, no timeout          256 KiB, 10 s
//	resume of a segment of unknown total      total = announced size        total = held + announced size
//	announced size missing, negative, huge    fails later                   cancel, drop the bytes, close
//	announced size 0 with nothing held        an empty segment              cancel, close (as 3.x does)
//	request for an id outside the playlist    no reply                      the caller answers; else absent in time
//	request from a negative byte              counts from the end           absent
//	request from beyond the end               empty data and completed      absent
//	request for an empty segment              empty data and completed      absent (3.x closes over empty data)
//	source fails while sending                silence                       absent
//	cancel before the source answered         not obeyed                    obeyed
package wire
