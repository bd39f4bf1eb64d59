package origin

import (
	"fmt"
	"net"
	"strconv"
	"time"
)

// Config is the configuration of an origin. All options of a stream are in its URL.
type Config struct {
	// Listen is the host:port to serve on; default ":8100".
	Listen string `json:"listen,omitempty"`
	// Clock returns the time that live streams follow; default time.Now. Delays of
	// faults are always real time.
	Clock func() time.Time `json:"-"`
}

func (c Config) withDefaults() Config {
	if c.Listen == "" {
		c.Listen = ":8100"
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return c
}

// Validate returns an error for the first invalid field, with a value that works.
func (c Config) Validate() error {
	c = c.withDefaults()
	_, port, err := net.SplitHostPort(c.Listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("config.listen: %q is not host:port; use %q", c.Listen, ":8100")
	}
	return nil
}
