//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"
	. "github.com/onsi/gomega"

	testlab "github.com/p2pstream/p2pstream/test/lab"
)

const (
	// processes is how many specs run beside each other on the cluster, each in a process of its own, and slowProcesses
	// how many on a machine that `make test` has found slow. Those that are marked Serial run after all others, alone.
	processes, slowProcesses = 3, 2
	// slowVariable is set on such a machine.
	slowVariable = "P2PSTREAM_SLOW_MACHINE"
	// cleanUpWithin is how long before the limit of go test, which kills the suite and leaves its cluster behind, the
	// suite ends by itself.
	cleanUpWithin = time.Minute
	// folderVariable tells the processes of the suite where the package is, since ginkgo runs them elsewhere.
	folderVariable = "P2PSTREAM_E2E_FOLDER"
	// everyTime are the specs that run where none are chosen. The others have targets of their own, make entrances and make scale: they
	// need the processors that viewers beside them would take.
	everyTime = "!entrances && !many-streams"
)

// TestE2E runs the specs: as the test that go test has started, it has ginkgo run this binary again in several processes,
// and reports each spec as a subtest, so that results count promises and not suites.
func TestE2E(t *testing.T) {
	if folder := os.Getenv(folderVariable); folder != "" {
		t.Chdir(folder)
		RegisterFailHandler(Fail)
		RunSpecs(t, "p2pstream on a cluster")
		return
	}
	reports := runProcesses(t)
	ran := 0
	for _, suite := range reports {
		for _, spec := range suite.SpecReports {
			name := strings.Join(append(spec.ContainerHierarchyTexts, spec.LeafNodeText), " ")
			switch {
			case spec.LeafNodeType != types.NodeTypeIt:
				if spec.State.Is(types.SpecStateFailureStates) {
					t.Errorf("%s: %s: %s", spec.LeafNodeType, spec.State, spec.FailureMessage())
				}
			case !spec.State.Is(types.SpecStateSkipped | types.SpecStatePending):
				ran++
				t.Run(name, func(t *testing.T) {
					t.Logf("process %d, from %s, %.1f s", spec.ParallelProcess, spec.StartTime.Format(time.TimeOnly), spec.RunTime.Seconds())
					if spec.State.Is(types.SpecStateFailureStates) {
						t.Errorf("%s: %s", spec.State, spec.FailureMessage())
					}
				})
			}
		}
	}
	if ran == 0 {
		t.Error("no spec has run")
	}
}

// runProcesses runs the specs and returns ginkgo's report.
func runProcesses(t *testing.T) []types.Report {
	t.Helper()
	root := testlab.Must[string](t)(testlab.Root())
	ginkgo := filepath.Join(root, "bin", "ginkgo")
	if _, err := os.Stat(ginkgo); err != nil {
		t.Fatalf("%v; run: make e2e", err)
	}
	report := filepath.Join(t.TempDir(), "report.json")
	suite, _ := GinkgoConfiguration()
	procs := processes
	if os.Getenv(slowVariable) != "" {
		procs = slowProcesses
	}
	args := []string{fmt.Sprintf("--procs=%d", procs), "--no-color", "--json-report=" + filepath.Base(report), "--output-dir=" + filepath.Dir(report)}
	if limit, ok := t.Deadline(); ok {
		args = append(args, fmt.Sprintf("--timeout=%s", time.Until(limit)-cleanUpWithin))
	}
	for _, focus := range suite.FocusStrings {
		args = append(args, "--focus="+focus)
	}
	if suite.LabelFilter == "" && len(suite.FocusStrings) == 0 {
		suite.LabelFilter = everyTime
	}
	if suite.LabelFilter != "" {
		args = append(args, "--label-filter="+suite.LabelFilter)
	}
	cmd := exec.CommandContext(context.Background(), ginkgo, append(args, testlab.Must[string](t)(os.Executable()))...)
	cmd.Env = append(os.Environ(), folderVariable+"="+testlab.Must[string](t)(os.Getwd()))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	// It then ends the specs, which clean up.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	runErr := cmd.Run()
	raw, err := os.ReadFile(report)
	if err != nil {
		t.Fatalf("running ginkgo: %v; reading its report: %v", runErr, err)
	}
	var reports []types.Report
	if err := json.Unmarshal(raw, &reports); err != nil {
		t.Fatalf("decoding ginkgo's report: %v", err)
	}
	if runErr != nil {
		t.Errorf("running ginkgo: %v", runErr)
	}
	return reports
}
