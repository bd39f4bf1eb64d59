package prometheus

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/p2pstream/p2pstream/test/lab"
)

// target is one program that is scraped, with the labels that the chart's monitors give it.
type target struct{ admin, component, pod, stream string }

// server is a running Prometheus.
type server struct{ address string }

// startServer runs Prometheus until the test ends. It scrapes the targets every second, and evaluates the chart's rules as often.
func startServer(t *testing.T, targets []target) *server {
	t.Helper()
	dir, s := t.TempDir(), &server{lab.FreeAddress(t)}
	type object = map[string]any
	var static []object
	for _, one := range targets {
		labels := map[string]string{"component": one.component, "namespace": "media", "pod": one.pod}
		if one.stream != "" {
			labels["name"] = one.stream
		}
		static = append(static, object{"targets": []string{one.admin}, "labels": labels})
	}
	config := lab.Must[[]byte](t)(yaml.Marshal(object{
		"global":         object{"scrape_interval": "1s", "evaluation_interval": "1s"},
		"rule_files":     []string{lab.Must[string](t)(filepath.Abs(rulesFile))},
		"scrape_configs": []object{{"job_name": "p2pstream", "honor_labels": true, "static_configs": static}},
	}))
	file := filepath.Join(dir, "prometheus.yaml")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	log := lab.Must[*os.File](t)(os.Create(filepath.Join(dir, "log")))
	cmd := exec.Command("prometheus", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+s.address, "--log.level=warn")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting Prometheus: %v; make deps installs it", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // its data is thrown away
		_ = cmd.Wait()
		_ = log.Close()
		if t.Failed() {
			text, err := os.ReadFile(log.Name())
			t.Logf("Prometheus said: %s%v", text, err)
		}
	})
	lab.Eventually(t, 30*time.Second, "Prometheus to be ready", lab.Answers(t.Context(), "http://"+s.address+"/-/ready"))
	return s
}

// sample is one series of an answer.
type sample struct {
	Metric map[string]string `json:"metric"`
}

// ask evaluates an expression now.
func (s *server) ask(ctx context.Context, expr string) ([]sample, error) {
	answer, err := lab.FetchJSON[struct {
		Data struct {
			Result json.RawMessage `json:"result"`
		} `json:"data"`
	}](ctx, "http://"+s.address+"/api/v1/query?query="+url.QueryEscape(expr))
	if err != nil {
		return nil, err
	}
	var samples []sample
	if err := json.Unmarshal(answer.Data.Result, &samples); err != nil {
		return nil, fmt.Errorf("reading the answer to %s: %w", expr, err)
	}
	return samples, nil
}
