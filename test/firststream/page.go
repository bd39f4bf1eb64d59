package firststream

import (
	"fmt"
	"regexp"
	"strings"
)

// step is one block of commands, and the blocks with what they print.
type step struct {
	line     int // of the page
	commands string
	prints   []string
}

// Info strings of blocks: commands that are run, and what the commands above print.
const (
	runs   = "sh run"
	prints = "text output"
)

// steps reads the blocks of a page. Commands that would not run, and output of no command, are errors.
func steps(page string) ([]step, error) {
	var all []step
	var block []string
	info, begun := "", 0
	for i, line := range strings.Split(page, "\n") {
		fence, is := strings.CutPrefix(strings.TrimLeft(line, " "), "```")
		switch {
		case begun == 0 && is:
			info, begun, block = fence, i+1, nil
		case begun == 0:
		case !is:
			block = append(block, line)
		default:
			text := strings.Join(block, "\n")
			switch info {
			case runs:
				all = append(all, step{line: begun, commands: text})
			case prints:
				if len(all) == 0 {
					return nil, fmt.Errorf("line %d: output of no command", begun)
				}
				last := &all[len(all)-1]
				last.prints = append(last.prints, text)
			default:
				return nil, fmt.Errorf("line %d: a block of %q is not run: write %q for commands, %q for what they print", begun, info, runs, prints)
			}
			begun = 0
		}
	}
	if begun != 0 {
		return nil, fmt.Errorf("line %d: the block does not end", begun)
	}
	return all, nil
}

// anything stands in output for what differs from run to run: within a line, or as a line of its own for any lines.
const anything = "…"

// shows reports whether a page's output is what commands printed. Spaces count as one, since columns are as wide as their widest word.
func shows(page, printed string) bool {
	var pattern strings.Builder
	for _, line := range lines(page) {
		if line == anything {
			pattern.WriteString(`(?:.*\n)*`)
			continue
		}
		for i, part := range strings.Split(line, anything) {
			if i > 0 {
				pattern.WriteString(`.*`)
			}
			pattern.WriteString(regexp.QuoteMeta(part))
		}
		pattern.WriteString(`\n`)
	}
	text := ""
	if all := lines(printed); len(all) > 0 {
		text = strings.Join(all, "\n") + "\n"
	}
	return regexp.MustCompile("^" + pattern.String() + "$").MatchString(text)
}

// lines of a text, each with single spaces, without empty ones.
func lines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			all = append(all, line)
		}
	}
	return all
}
