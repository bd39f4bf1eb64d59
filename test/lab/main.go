package lab

import (
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"testing"

	"go.uber.org/goleak"
)

// Main runs the tests of a package and returns the exit code, which is not 0 if goroutines were left behind. Kept-alive
// connections of http.DefaultClient are closed first: they belong to no test. TestMain ends with os.Exit(lab.Main(m)).
func Main(m *testing.M) int {
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); code == 0 && err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "goroutines left behind: %v\n", err)
		return 1
	}
	return code
}

// Parallel sets how many parallel tests of the package run beside each other, for packages whose tests mostly wait. It
// is called before Main.
func Parallel(n int) {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(n)); err != nil {
		panic(err) // the flag is there in every test
	}
}

// Verbose reports whether P2PSTREAM_TEST_LOG is set: everything that programs log is shown.
func Verbose() bool { return os.Getenv("P2PSTREAM_TEST_LOG") != "" }

// Logger is for programs that run in the test's process: it discards everything unless Verbose.
func Logger(name string) *slog.Logger {
	if !Verbose() {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("program", name)
}
