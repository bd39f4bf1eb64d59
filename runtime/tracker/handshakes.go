package tracker

import (
	"context"
	"crypto"
	"crypto/tls"
	"fmt"
	"io"
	"runtime"
)

// curves are the key exchanges that the tracker offers. One takes a twentieth to a fifth of a millisecond. Those of P-384
// and P-521 take longer than some signatures, and a client that asks for them need not compute anything itself: a
// recorded hello is enough. Every browser knows all of these.
var curves = []tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.X25519, tls.CurveP256}

// handshakes limits the work of TLS handshakes that is done at the same time. A client only has to send recorded bytes to
// make the server compute a key exchange and a signature; a flood of them would starve connected clients. There are two
// kinds of turns, because a handshake of a resumed session needs no signature and should not wait behind those that do:
//
//   - hellos: for each piece that the client sends, until the server reads or writes again. See connection.Read.
//   - signatures: where the signature is made. Nothing before it is the same in every handshake: a hello may be answered
//     with a HelloRetryRequest, and a second hello follows (RFC 8446 §4.1.4).
//
// No client is waited for during a turn.
type handshakes struct{ hellos, signatures *turns }

func newHandshakes(m *connectionMetrics) *handshakes {
	slots := max(1, runtime.GOMAXPROCS(0)/2)
	return &handshakes{hellos: newTurns(slots, m), signatures: newTurns(slots, m)}
}

// certificate returns a tls.Config's GetCertificate: the certificate that current returns, with a key that waits for its
// turn. A certificate whose key cannot sign is refused.
func (h *handshakes) certificate(current func() (*tls.Certificate, error)) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		c, err := current()
		if err != nil {
			return nil, err
		}
		key, ok := c.PrivateKey.(crypto.Signer)
		if !ok {
			return nil, fmt.Errorf("using the key of the certificate: a %T cannot sign", c.PrivateKey)
		}
		conn, _ := hello.Conn.(*connection)
		own := *c
		own.PrivateKey = &signer{Signer: key, ctx: hello.Context(), conn: conn, turns: h.signatures}
		return &own, nil
	}
}

// signer is the key of a certificate in one handshake. It is no crypto.Decrypter, so that RSA key exchanges, which would
// use the key without a turn, are impossible.
type signer struct {
	crypto.Signer
	ctx   context.Context // of the handshake
	conn  *connection     // of the handshake
	turns *turns
}

// Sign implements crypto.Signer.
func (s *signer) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if s.conn != nil {
		s.conn.endTurn() // others may say hello while this handshake waits
	}
	if err := s.turns.take(s.ctx); err != nil {
		return nil, fmt.Errorf("waiting for a turn to sign: %w", err)
	}
	defer s.turns.end()
	return s.Signer.Sign(rand, digest, opts)
}
