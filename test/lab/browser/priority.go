package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/chromedp/chromedp"
	"golang.org/x/sys/unix"
)

// playing is how much nicer the threads of a browser are whose pages only play. A page that starts has 340 ms for its
// first peer, and alone on a machine it needs 250; with seven others on two processors it needs up to 900. Users do
// not play seven other streams, so the browser that starts a page goes first.
const playing = 10

// foremost is the browser of this process that opened a page last.
var foremost struct {
	sync.Mutex
	*chromium
}

// goFirst gives a browser the processors before all others of this process, until another one opens a page.
func (c *chromium) goFirst() {
	foremost.Lock()
	defer foremost.Unlock()
	if before := foremost.chromium; before != c {
		if before != nil {
			before.beNice(playing)
		}
		c.beNice(-playing)
		foremost.chromium = c
	}
}

// forget is called before the browser ends.
func (c *chromium) forget() {
	foremost.Lock()
	defer foremost.Unlock()
	if foremost.chromium == c {
		foremost.chromium = nil
	}
}

// beNice changes the niceness of every thread of the browser. Only root may take niceness back, so it stays as it is for
// other users. Threads that end meanwhile do not matter.
func (c *chromium) beNice(by int) {
	if os.Geteuid() != 0 {
		return
	}
	browser := chromedp.FromContext(c.ctx).Browser
	if browser == nil || browser.Process() == nil {
		return
	}
	for _, pid := range family(browser.Process().Pid) {
		for _, thread := range threads(pid) {
			const most = 20 // the system call returns 20 less the niceness
			if raw, err := unix.Getpriority(unix.PRIO_PROCESS, thread); err == nil {
				_ = unix.Setpriority(unix.PRIO_PROCESS, thread, most-raw+by) // it has ended otherwise
			}
		}
	}
}

// family lists a process and all that descend from it.
func family(pid int) []int {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		for _, thread := range threads(all[i]) {
			children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", all[i], thread))
			if err != nil {
				continue // it has ended
			}
			for child := range strings.FieldsSeq(string(children)) {
				if n, err := strconv.Atoi(child); err == nil {
					all = append(all, n)
				}
			}
		}
	}
	return all
}

// threads lists the threads of a process.
func threads(pid int) (ids []int) {
	dirs, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid)) // none if it has ended
	for _, dir := range dirs {
		if n, err := strconv.Atoi(filepath.Base(dir)); err == nil {
			ids = append(ids, n)
		}
	}
	return ids
}

// Niceness is that of the browser's first thread: 0 while it goes before other browsers, 10 otherwise.
func (b *Browser) Niceness() int {
	b.tb.Helper()
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, chromedp.FromContext(b.ctx).Browser.Process().Pid)
	if err != nil {
		b.tb.Fatalf("reading the niceness of Chromium: %v", err)
	}
	return 20 - raw
}
