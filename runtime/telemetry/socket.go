package telemetry

import "bytes"

// Reports travel over the WebSocket that a viewer has to its tracker, as messages of an action of our own. The tracker's
// answer looks like the reply to an announce in a swarm that no client is in: the WebTorrent client that shares the socket
// ignores such replies, while it closes the socket when it receives an action that it does not know.
const (
	reportHead = `{"action":"report",`
	answerHead = `{"action":"announce","info_hash":"p2pstream-reports-v1","report":`
	answerTail = `}`
)

// FrameReport returns a report's JSON as a message to the tracker.
func FrameReport(report []byte) []byte {
	return append([]byte(reportHead), bytes.TrimPrefix(report, []byte("{"))...)
}

// IsReport tells whether a message is a report. Its JSON is that of a report with one field more, which DecodeReport
// ignores.
func IsReport(message []byte) bool { return bytes.HasPrefix(message, []byte(reportHead)) }

// FrameAnswer returns the JSON of an answer as a message to the viewer.
func FrameAnswer(answer []byte) []byte {
	return append(append([]byte(answerHead), answer...), answerTail...)
}

// Answer returns the JSON of the answer to a report; ok is false for every other message.
func Answer(message []byte) (answer []byte, ok bool) {
	answer, ok = bytes.CutPrefix(message, []byte(answerHead))
	if !ok {
		return nil, false
	}
	return bytes.CutSuffix(answer, []byte(answerTail))
}
