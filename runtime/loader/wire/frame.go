package wire

// Framing of p2p-media-loader 2.3.1: a command chunk starts with "cstr" (first) or "dstr" (further) and ends with "cend"
// (last) or "dend" (more to come). Everything else on the channel is segment bytes.
const (
	startFirst   = "cstr"
	startFurther = "dstr"
	endLast      = "cend"
	endMore      = "dend"
	markLength   = 4
	frameLength  = 2 * markLength
)

// LooksLikeCommand tells whether a receiver takes msg for a command chunk. A media chunk for which it is true must be
// split one byte differently: 2.x receivers would swallow it, 3.x and later ones would close the connection.
func LooksLikeCommand(msg []byte) bool {
	n := len(msg)
	if n < frameLength {
		return false
	}
	// The two spellings of each mark differ in their first byte only.
	return (msg[0] == 'c' || msg[0] == 'd') && msg[1] == 's' && msg[2] == 't' && msg[3] == 'r' &&
		(msg[n-4] == 'c' || msg[n-4] == 'd') && msg[n-3] == 'e' && msg[n-2] == 'n' && msg[n-1] == 'd'
}

// NextChunk returns how many bytes of data, the part of a segment still to be sent, form the next media message: at most
// limit (bytes; DefaultMaxMessageSize when not positive), and one less where the chunk would look like a command.
// It is 0 only for empty data. Chunks need no allocation: they are data[:n].
func NextChunk(data []byte, limit int) int {
	if limit <= 0 {
		limit = DefaultMaxMessageSize
	}
	n := min(len(data), limit)
	if LooksLikeCommand(data[:n]) {
		// One byte earlier the chunk ends in "…cen" or "…den", so it cannot match again.
		n--
	}
	return n
}

// frame wraps pieces of body, cut every p bytes into n chunks, into start and end marks. Chunks share one buffer.
func frame(body []byte, n, p int) [][]byte {
	buf := make([]byte, 0, len(body)+n*frameLength)
	chunks := make([][]byte, n)
	for i := range n {
		from, to := min(i*p, len(body)), min((i+1)*p, len(body))
		start, end := startFurther, endMore
		if i == 0 {
			start = startFirst
		}
		if i == n-1 {
			end = endLast
		}
		at := len(buf)
		buf = append(buf, start...)
		buf = append(buf, body[from:to]...)
		buf = append(buf, end...)
		chunks[i] = buf[at:len(buf):len(buf)]
	}
	return chunks
}

// referenceSplit is the sender's arithmetic of p2p-media-loader 2.3.1: the number of chunks and the length of a piece.
// For tiny maxima it yields chunks beyond the maximum and empty ones.
func referenceSplit(length, limit int) (n, p int) {
	if length+frameLength <= limit {
		return 1, length
	}
	n = ceilDiv(length, limit)
	if ceilDiv(length, n)+frameLength > limit {
		n++
	}
	return n, ceilDiv(length, n)
}

// safeSplit cuts like the reference where that gives full chunks within the maximum, and differently where it does not:
// peers of 3.x and later close the connection over a chunk without body bytes. max must be above frameLength.
func safeSplit(length, limit int) (n, p int) {
	n, p = referenceSplit(length, limit)
	if p+frameLength <= limit && (n-1)*p < length {
		return n, p
	}
	p = ceilDiv(length, ceilDiv(length, limit-frameLength))
	return ceilDiv(length, p), p
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
