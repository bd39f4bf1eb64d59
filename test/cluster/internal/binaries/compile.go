package binaries

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

const progressInterval = 10 * time.Second

// goBuild are the flags that decide what is compiled; go list needs the same to know what is missing.
var goBuild = []string{"-trimpath", "-buildvcs=false"}

// compile builds the program in source and writes it to target.
func (p program) compile(ctx context.Context, source, target string, out io.Writer) error {
	total, err := p.missing(ctx, source, out)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "  %s: %d packages to compile\n", p.name, total)
	compiled := &goOutput{}
	build := p.goCommand(ctx, source, "build", "-v", "-ldflags", p.ldflags, "-o", target)
	build.Stdout, build.Stderr = compiled, compiled
	return p.run(build, compiled, out, func(elapsed time.Duration) string { return compiling(compiled.packageCount(), total, elapsed) })
}

// missing counts the packages that the build cache lacks. It downloads modules that are not there yet.
func (p program) missing(ctx context.Context, source string, out io.Writer) (int, error) {
	var stale bytes.Buffer
	said := &goOutput{}
	list := p.goCommand(ctx, source, "list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}")
	list.Stdout, list.Stderr = &stale, said
	err := p.run(list, said, out, func(time.Duration) string { return fmt.Sprintf("%d modules downloaded", said.downloadCount()) })
	return len(strings.Fields(stale.String())), err
}

func (p program) goCommand(ctx context.Context, source, verb string, flags ...string) *exec.Cmd {
	args := append(append([]string{verb}, goBuild...), append(flags, ".")...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = source
	// Static programs run in any namespace and any image; the user's workspaces and flags do not apply.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly")
	return cmd
}

// run runs a go command and writes how far it is, until it ends.
func (p program) run(cmd *exec.Cmd, said *goOutput, out io.Writer, state func(elapsed time.Duration) string) error {
	began := time.Now()
	if err := cmd.Start(); err != nil {
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: put Go on the PATH", err)
		}
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	tick := time.NewTicker(progressInterval)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("%w\n%s", err, said.errors())
			}
			return nil
		case <-tick.C:
			elapsed := time.Since(began)
			_, _ = fmt.Fprintf(out, "  %s: %s, %s\n", p.name, elapsed.Round(time.Second), state(elapsed))
		}
	}
}

// compiling says how far a build is after some time. The rest is estimated from the packages so far, as
// soon as they are enough to say something.
func compiling(done, total int, elapsed time.Duration) string {
	if done >= total {
		return fmt.Sprintf("%d of %d packages compiled, linking", done, total)
	}
	text := fmt.Sprintf("%d of %d packages compiled", done, total)
	if done < 20 || done*20 < total {
		return text
	}
	left := time.Duration(float64(elapsed) / float64(done) * float64(total-done))
	if left < time.Minute {
		return text + ", less than a minute left"
	}
	return fmt.Sprintf("%s, about %d minutes left", text, int(left.Round(time.Minute).Minutes()))
}

// keptOutput bounds what is kept of a go command's output, in bytes.
const keptOutput = 16 << 10

// goOutput reads what `go build -v` and `go list` write while they run: a line for each package, a line for
// each module that is downloaded, and errors. It keeps the end of it.
type goOutput struct {
	mu                  sync.Mutex
	packages, downloads int
	line, tail          []byte
}

func (o *goOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tail = append(o.tail, p...)
	if extra := len(o.tail) - keptOutput; extra > 0 {
		o.tail = o.tail[extra:]
	}
	o.line = append(o.line, p...)
	for {
		end := bytes.IndexByte(o.line, '\n')
		if end < 0 {
			break
		}
		o.count(string(o.line[:end]))
		o.line = o.line[end+1:]
	}
	if len(o.line) > keptOutput { // no line of interest
		o.line = nil
	}
	return len(p), nil
}

func (o *goOutput) count(line string) {
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		o.downloads++
	case namesPackage(line):
		o.packages++
	}
}

func (o *goOutput) packageCount() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.packages
}

func (o *goOutput) downloadCount() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.downloads
}

// errors returns the end of the output without the lines that only name a package.
func (o *goOutput) errors() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var kept []string
	for line := range strings.Lines(string(o.tail)) {
		if text := strings.TrimSpace(line); text != "" && !namesPackage(text) {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

func namesPackage(line string) bool { return line != "" && !strings.ContainsAny(line, " :") }
