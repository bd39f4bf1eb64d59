package prometheus

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

const (
	page      = "../../docs/metrics.md"
	tableHead = "<!-- metrics: compared with the running programs by test/prometheus -->\n| metric | type | labels | of | what |\n| --- | --- | --- | --- | --- |\n"
	tableEnd  = "<!-- end of metrics -->\n"
)

// family is one metric, as programs expose it.
type family struct {
	kind, help string
	labels, of map[string]bool
}

var (
	comment   = regexp.MustCompile(`^# (HELP|TYPE) (p2pstream_\w+) (.*)$`)
	labelName = regexp.MustCompile(`[{,](\w+)="`)
)

// read adds what one program exposes.
func read(families map[string]*family, program string, text []byte) {
	var current *family
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			parts := comment.FindStringSubmatch(line)
			if parts == nil {
				current = nil
				continue
			}
			current = families[parts[2]]
			if current == nil {
				current = &family{labels: map[string]bool{}, of: map[string]bool{}}
				families[parts[2]] = current
			}
			if parts[1] == "HELP" {
				current.help = parts[3]
			} else {
				current.kind = parts[3]
			}
			current.of[program] = true
			continue
		}
		if current == nil {
			continue
		}
		for _, label := range labelName.FindAllStringSubmatch(line, -1) {
			if label[1] != "le" {
				current.labels[label[1]] = true
			}
		}
	}
}

// table is the part of the page that is compared.
func table(families map[string]*family) string {
	out := tableHead
	for _, name := range slices.Sorted(maps.Keys(families)) {
		f := families[name]
		labels := ""
		for _, l := range slices.Sorted(maps.Keys(f.labels)) {
			labels += " `" + l + "`"
		}
		help := strings.NewReplacer("|", "\\|", "<", "&lt;").Replace(f.help)
		out += fmt.Sprintf("| `%s` | %s |%s | %s | %s |\n", name, f.kind, labels, strings.Join(slices.Sorted(maps.Keys(f.of)), ", "), help)
	}
	return out + tableEnd
}

// checkPage compares the page with what the programs expose, or writes it where P2PSTREAM_UPDATE_GOLDEN is set.
func checkPage(t *testing.T, p *programs) {
	t.Helper()
	text := string(lab.Must[[]byte](t)(os.ReadFile(page)))
	before, rest, begins := strings.Cut(text, tableHead)
	_, after, ends := strings.Cut(rest, tableEnd)
	if !begins || !ends {
		t.Fatalf("%s lacks the lines around its table", page)
	}
	exposed := func() string {
		families := map[string]*family{}
		for _, one := range p.targets {
			read(families, one.component, lab.Get(t, "http://"+one.admin+"/metrics"))
		}
		return table(families)
	}
	for _, one := range p.targets {
		checkNames(t, lab.Get(t, "http://"+one.admin+"/metrics"))
	}
	if os.Getenv("P2PSTREAM_UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(page, []byte(before+exposed()+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	// Some appear with the first event that they count.
	lab.Eventually(t, 20*time.Second, "the programs to expose what docs/metrics.md says; P2PSTREAM_UPDATE_GOLDEN=1 make prometheus writes it", func() error {
		return difference(strings.TrimSuffix(strings.TrimPrefix(exposed(), tableHead), tableEnd), strings.TrimSuffix(rest[:len(rest)-len(after)], tableEnd))
	})
}

// checkNames lets promtool judge names, units and help texts of what is ours.
func checkNames(t *testing.T, metrics []byte) {
	t.Helper()
	// Lines of offices are bought and planned in bits.
	const allowed = "p2pstream_viewerapi_site_line_bits_per_second use base unit"
	cmd := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
	cmd.Stdin = bytes.NewReader(metrics)
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 0 && code != 3 { // 3: it found something
		t.Fatalf("checking metrics: %v; make deps installs promtool\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "p2pstream_") && !strings.HasPrefix(line, allowed) {
			t.Errorf("promtool says: %s", line)
		}
	}
}

// difference names the lines that only one of two texts has.
func difference(exposed, written string) error {
	var lines []string
	has := func(text string) map[string]bool {
		set := map[string]bool{}
		for line := range strings.Lines(text) {
			set[line] = true
		}
		return set
	}
	a, b := has(exposed), has(written)
	for _, line := range slices.Sorted(maps.Keys(a)) {
		if !b[line] {
			lines = append(lines, "exposed, and not on the page: "+line)
		}
	}
	for _, line := range slices.Sorted(maps.Keys(b)) {
		if !a[line] {
			lines = append(lines, "on the page, and not exposed: "+line)
		}
	}
	if lines != nil {
		return errors.New(strings.Join(lines, ""))
	}
	return nil
}
