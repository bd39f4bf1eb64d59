package tracker

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/p2pstream/p2pstream/internal/validate"
	"github.com/p2pstream/p2pstream/internal/watch"
)

// watchEvery is how often the certificate and token files are checked. The kubelet updates mounted files less often.
const watchEvery = 5 * time.Second

func watchCertificate(cfg Config, log *slog.Logger) (*watch.Value[*tls.Certificate], error) {
	v := watch.New("TLS certificate", log, func() (*tls.Certificate, error) {
		c, err := tls.LoadX509KeyPair(cfg.TLSCert, cfg.TLSKey)
		return &c, err
	}, cfg.TLSCert, cfg.TLSKey)
	_, err := v.Get()
	return v, err
}

// maxSeederTokens bounds the lines of the file: two during a rotation.
const maxSeederTokens = 8

func watchToken(file string, log *slog.Logger) (*watch.Value[[]string], error) {
	v := watch.New("seeder token", log, func() ([]string, error) { return readTokens(file) }, file)
	_, err := v.Get()
	return v, err
}

func readTokens(file string) ([]string, error) {
	all, err := readLines(file)
	if err == nil && len(all) > maxSeederTokens {
		err = fmt.Errorf("%s: has %d tokens; at most %d are accepted", file, len(all), maxSeederTokens)
	}
	return all, err
}

// leastWriterToken is the shortest token that changes the table of streams, in bytes.
const leastWriterToken = 16

func watchWriters(file string, log *slog.Logger) (*watch.Value[[]string], error) {
	v := watch.New("token of the table of streams", log, func() ([]string, error) {
		all, err := readTokens(file)
		for _, token := range all {
			if len(token) < leastWriterToken {
				return nil, fmt.Errorf("%s: a token has %d bytes; use at least %d", file, len(token), leastWriterToken)
			}
		}
		return all, err
	}, file)
	_, err := v.Get()
	return v, err
}

// maxSTUNServers bounds a list of STUN servers: each is probed, and browsers query several before each connection.
const maxSTUNServers = 64

func watchSTUNFile(file string, log *slog.Logger) *watch.Value[[]string] {
	return watch.New("list of STUN servers", log, func() ([]string, error) {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var list []string
		if err := json.Unmarshal(b, &list); err != nil {
			return nil, fmt.Errorf(`%s is not a JSON list of strings: %w; use ["stun:host:3478"]`, file, err)
		}
		if len(list) > maxSTUNServers {
			return nil, fmt.Errorf("%s lists %d servers; the maximum is %d", file, len(list), maxSTUNServers)
		}
		return list, validate.Each(file, list, validate.STUN)
	}, file)
}
