package originhttp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/p2pstream/p2pstream/internal/watch"
)

// Limits of the headers of one request: servers refuse more.
const (
	maxHeaders     = 64
	maxHeaderBytes = 8 << 10
)

// reserved are headers that control the transfer itself; setting them would break it.
var reserved = map[string]bool{
	"Connection": true, "Content-Length": true, "Transfer-Encoding": true, "Trailer": true, "Te": true, "Upgrade": true,
	"Keep-Alive": true, "Proxy-Connection": true, "Range": true, "If-Range": true, "Accept-Encoding": true,
	"If-None-Match": true, "If-Modified-Since": true, "If-Match": true, "If-Unmodified-Since": true,
}

// readHeaders reads a directory of headers. No error contains the content of a file.
func readHeaders(dir string) (http.Header, error) {
	names, err := watch.Files(dir)
	if err != nil {
		return nil, fmt.Errorf("reading directory of headers: %w", err)
	}
	if len(names) > maxHeaders {
		return nil, fmt.Errorf("reading directory of headers: %s holds %d files; the maximum is %d", dir, len(names), maxHeaders)
	}
	headers := make(http.Header, len(names))
	for _, file := range names {
		name, value, err := readHeader(dir, file)
		if err != nil {
			return nil, fmt.Errorf("reading header from file %q: %w", file, err)
		}
		if _, twice := headers[name]; twice {
			return nil, fmt.Errorf("reading header from file %q: another file sets %s too", file, name)
		}
		headers[name] = []string{value}
	}
	return headers, nil
}

func readHeader(dir, file string) (name, value string, err error) {
	if !isToken(file) {
		return "", "", errors.New("its name is not a header name; use one like Authorization")
	}
	name = http.CanonicalHeaderKey(file)
	if reserved[name] {
		return "", "", errors.New("this header controls the transfer and cannot be set")
	}
	f, err := os.Open(filepath.Join(dir, file))
	if err != nil {
		return "", "", err
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(f, maxHeaderBytes+1))
	if err != nil {
		return "", "", err
	}
	if len(b) > maxHeaderBytes {
		return "", "", fmt.Errorf("it holds more than %d bytes", maxHeaderBytes)
	}
	// Editors and echo end a file with a newline, which is not part of the value.
	b = bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
	if !isValue(b) {
		return "", "", errors.New("it holds a line break or a control character, which is not allowed in a header")
	}
	return name, string(b), nil
}

// isToken reports whether a text is a valid header name (RFC 9110 §5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

// isValue reports whether bytes are a valid header value (RFC 9110 §5.5).
func isValue(b []byte) bool {
	for _, c := range b {
		if (c < ' ' && c != '\t') || c == 0x7F {
			return false
		}
	}
	return true
}
