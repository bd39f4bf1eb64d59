//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// officeTable is what `make offices` prints.
type officeTable []officeResult

func (t officeTable) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	row := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) } // a builder takes everything
	row("case\toffice\tviewers\tcopies\twith joins\tall bytes\tstatus\tline then\tstalls\tHTTP kB\tto offices\tkilled")
	for _, r := range t {
		row("%s\t%s\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%d\t%d\t%d\t%d", r.Case, r.Office, r.Viewers, r.Copies, r.WithJoins, r.Wire, r.Said, r.Meant,
			r.Stalls, r.HTTP/1000, r.Between, r.Killed)
	}
	_ = w.Flush()
	return "\n" + b.String()
}
