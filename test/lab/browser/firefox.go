package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

// firefox drives Firefox by WebDriver BiDi.
type firefox struct {
	process *exec.Cmd
	ended   chan struct{} // closed when the process is gone
	session *bidi         // nil until it is connected
}

const (
	firefoxStart = 3 * time.Minute // on a host that is busy
	firefoxEnd   = 10 * time.Second
)

func startFirefox(_ func(string, ...any), home, _ string, o options) (_ driver, err error) {
	if o.certificate != nil || o.policies != nil {
		return nil, errors.New("starting Firefox: only Chromium is given certificates and policies")
	}
	path, err := find(Firefox, "P2PSTREAM_FIREFOX", "firefox-esr", "firefox")
	if err != nil {
		return nil, err
	}
	profile := filepath.Join(home, "profile")
	if err := os.Mkdir(profile, 0o700); err != nil {
		return nil, fmt.Errorf("making a profile for Firefox: %w", err)
	}
	preferences, err := firefoxPreferences(o)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(profile, "user.js"), preferences, 0o600); err != nil {
		return nil, fmt.Errorf("writing Firefox's preferences: %w", err)
	}
	// Port 0: any that is free.
	cmd := exec.Command(path, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0", "about:blank")
	cmd.Env = append(os.Environ(), "HOME="+home, "TMPDIR="+home, "MOZ_CRASHREPORTER_DISABLE=1")
	// It ends with the test, however that ends, and its children with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	dial := new(net.Dialer).DialContext
	if n := o.namespace; n != nil {
		n.Wrap(cmd)
		dial = n.Dial
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting Firefox: %w", err)
	}
	f := &firefox{process: cmd, ended: make(chan struct{})}
	go func() {
		defer close(f.ended)
		_ = cmd.Wait() // it is killed
	}()
	if err := f.connect(filepath.Join(profile, "WebDriverBiDiServer.json"), dial); err != nil {
		f.close()
		return nil, fmt.Errorf("starting Firefox: %w; run it by hand to see why: %s --headless --remote-debugging-port 0", err, path)
	}
	return f, nil
}

// connect waits until Firefox has written where it listens.
func (f *firefox) connect(file string, dial func(ctx context.Context, network, address string) (net.Conn, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), firefoxStart)
	defer cancel()
	go func() {
		select {
		case <-f.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	var at struct {
		Host string `json:"ws_host"`
		Port int    `json:"ws_port"`
	}
	if err := lab.Wait(ctx, firefoxStart, "Firefox to listen", func() error {
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return json.Unmarshal(b, &at)
	}); err != nil {
		return err
	}
	var err error
	if f.session, err = dialBidi(ctx, "ws://"+net.JoinHostPort(at.Host, strconv.Itoa(at.Port))+"/session", dial); err != nil {
		return err
	}
	return f.session.call(ctx, "session.new", map[string]any{"capabilities": map[string]any{}}, nil)
}

func (f *firefox) open(ctx context.Context) (page, error) { return openBidiPage(ctx, f.session) }

func (f *firefox) close() {
	if f.session != nil {
		ctx, cancel := context.WithTimeout(context.Background(), firefoxEnd)
		defer cancel()
		// What does not end in peace is killed.
		if err := f.session.call(ctx, "browser.close", map[string]any{}, nil); err == nil {
			select {
			case <-f.ended:
			case <-ctx.Done():
			}
		}
		f.session.close()
	}
	_ = syscall.Kill(-f.process.Process.Pid, syscall.SIGKILL) // none may be left
	<-f.ended
}
