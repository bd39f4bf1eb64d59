package prometheus

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/p2pstream/p2pstream/test/lab"
)

func TestMain(m *testing.M) {
	// The API server's client keeps its connections for the life of the program.
	ignored := []goleak.Option{goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction("golang.org/x/net/http2.(*clientConnReadLoop).run")}
	code := m.Run()
	lab.Client.CloseIdleConnections()
	if err := goleak.Find(ignored...); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// dataTime is how long all expressions may take until they have data.
const dataTime = 60 * time.Second

// TestAProgramThatRunsAnswersEveryQuestion runs all programs and Prometheus. Every expression of the rules and dashboards has
// data then, docs/metrics.md has every metric, and what breaks begins to alert.
func TestAProgramThatRunsAnswersEveryQuestion(t *testing.T) {
	p := startPrograms(t)
	s := startServer(t, p.targets)
	lab.Eventually(t, dataTime, "data for every expression", func() error { return s.unanswered(t) })
	checkPage(t, p)

	p.Seeder.Kill()
	p.Origin.Kill()
	p.manager.Kill()
	for _, alert := range []string{"P2PStreamSeedersGone", "P2PStreamSourceUnreadable", "P2PStreamOperatorDown"} {
		lab.Eventually(t, 30*time.Second, alert+" to be pending", func() error {
			alerts, err := s.ask(t.Context(), fmt.Sprintf("ALERTS{alertname=%q}", alert))
			if err == nil && len(alerts) == 0 {
				err = errors.New("no such alert")
			}
			return err
		})
	}
}

// unanswered names the expressions without data.
func (s *server) unanswered(t *testing.T) error {
	var missing []string
	for _, q := range questions(t) {
		samples, err := s.ask(t.Context(), q.expr)
		if err != nil {
			return err
		}
		if len(samples) == 0 {
			missing = append(missing, q.from+": "+q.expr)
		}
	}
	if missing != nil {
		return errors.New("no data for\n" + strings.Join(missing, "\n"))
	}
	return nil
}
