package mesh

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// benchChild holds the tracker URL in the environment of the seeder process.
const benchChild = "MESH_BENCH_CHILD"

const benchViewers = 64

// childReport is what the seeder process measures about itself.
type childReport struct {
	CPU        float64 // seconds, user and system
	RSS        int64   // bytes resident
	Goroutines int
	Peers      int
	Packets    float64 // UDP packets sent
	Calls      float64 // system calls that sent them
}

// BenchmarkSeederCPU measures what a seeder costs.
//
// Method: the seeder runs in a child process with one UDP port on 127.0.0.1 and the collector settings of the
// program (GOGC 300, or MESH_BENCH_GOGC); this process holds the tracker and 64 viewers, each a node of its own
// with an ephemeral port. One operation is 1 MiB sent in messages of 65,535 bytes, spread evenly over the
// viewers, all at once; the run ends when the viewers have every byte. CPU is the child's getrusage (user and
// system; on loopback that includes the kernel's delivery to the receivers). Goroutines and memory are taken
// between two reports: no connection, 64 idle connections (goroutines), 64 connections after the transfer (RSS).
// Run with -benchtime=2000x for a steady figure. MESH_BENCH_PROFILE names a file for the child's CPU profile;
// MESH_BENCH_GOGC, MESH_BENCH_LIMIT (memory limit, MiB) and MESH_BENCH_QUEUE (QueueBytes) change the child. pion
// allocates about nine bytes for each byte sent, so CPU and memory are traded by GOGC: compare pairs of runs.
func BenchmarkSeederCPU(b *testing.B) {
	benchmarkSeeder(b, "send")
}

// BenchmarkSeederStreaming is BenchmarkSeederCPU at the pace of an audience: each viewer takes a segment of 1 MiB
// every 2 s (4.2 Mbit/s), as fast as it goes, and the viewers take turns. It measures what a viewer costs in memory;
// BenchmarkSeederCPU, where every viewer always takes all it can get, measures what overload costs.
func BenchmarkSeederStreaming(b *testing.B) {
	benchmarkSeeder(b, "stream")
}

func benchmarkSeeder(b *testing.B, how string) {
	r := newRelay(b)
	child := startChild(b, r.url())
	until(b, "seeder announced", func() bool { return r.count(signaling.EventStarted) == 1 })
	before := child.ask("report")
	r.only(peerID(0))
	viewers := make([]recorder, benchViewers)
	for i := range viewers {
		join(b, newTestNode(b, NodeConfig{}), r, i+1, &viewers[i], func(c *SwarmConfig) { c.Offers = 1 })
	}
	until(b, "all viewers open", func() bool {
		for i := range viewers {
			if viewers[i].first() == nil {
				return false
			}
		}
		return true
	})
	var idle childReport
	until(b, "seeder has all peers", func() bool { idle = child.ask("report"); return idle.Peers == benchViewers })

	each := max(int64(b.N)<<20/benchViewers, 1)
	b.SetBytes(1 << 20)
	b.ResetTimer()
	start := child.ask("report")
	child.ask(how + " " + strconv.FormatInt(each, 10))
	for i := range viewers {
		until(b, "viewer has its bytes", func() bool { return viewers[i].bytes.Load() == each })
	}
	b.StopTimer()
	end := child.ask("report")
	gb := float64(each*benchViewers) / 1e9
	b.ReportMetric((end.CPU-start.CPU)/gb, "CPU-s/GB")
	b.ReportMetric((end.Packets-start.Packets)/(end.Calls-start.Calls), "packets/call")
	b.ReportMetric(float64(idle.Goroutines-before.Goroutines)/benchViewers, "goroutines/conn")
	b.ReportMetric(float64(end.RSS-before.RSS)/benchViewers/(1<<20), "MiB/conn")
	b.ReportMetric(float64(idle.RSS-before.RSS)/benchViewers/(1<<20), "idle-MiB/conn")
}

type benchProcess struct {
	b   *testing.B
	in  io.WriteCloser
	out *json.Decoder
}

func startChild(b *testing.B, tracker string) *benchProcess {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$") // this very test binary
	cmd.Env = append(os.Environ(), benchChild+"="+tracker)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close() // ends the child
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	})
	return &benchProcess{b: b, in: in, out: json.NewDecoder(out)}
}

func (p *benchProcess) ask(command string) childReport {
	p.b.Helper()
	if _, err := fmt.Fprintln(p.in, command); err != nil {
		p.b.Fatal(err)
	}
	var r childReport
	if err := p.out.Decode(&r); err != nil {
		p.b.Fatal(err)
	}
	return r
}

func runBenchChild() int {
	if err := benchSeeder(os.Getenv(benchChild)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func benchSeeder(tracker string) error {
	debug.SetGCPercent(benchSetting("MESH_BENCH_GOGC", 300))
	debug.SetMemoryLimit(int64(benchSetting("MESH_BENCH_LIMIT", 1024)) << 20)
	cfgNode := NodeConfig{Listen: "127.0.0.1:0", Loopback: true, QueueBytes: benchSetting("MESH_BENCH_QUEUE", DefaultQueueBytes)}
	n, err := NewNode(cfgNode, nil, nil)
	if err != nil {
		return err
	}
	var rec recorder
	cfg := SwarmConfig{InfoHash: testHash, PeerID: peerID(0), Trackers: []string{tracker}, MaxPeers: 200, Offers: -1, Handler: &rec}
	s, err := n.Join(context.Background(), cfg)
	if err != nil {
		return err
	}
	if path := os.Getenv("MESH_BENCH_PROFILE"); path != "" {
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	enc := json.NewEncoder(os.Stdout)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		for how, pause := range map[string]time.Duration{"send ": 0, "stream ": 2 * time.Second} {
			if text, ok := strings.CutPrefix(in.Text(), how); ok {
				each, err := strconv.ParseInt(text, 10, 64)
				if err != nil {
					return err
				}
				sendEach(&rec, each, pause)
			}
		}
		report, err := measureSelf()
		if err != nil {
			return err
		}
		report.Peers = s.Peers()
		report.Packets, report.Calls = metricValue(n.metrics.sentPackets), metricValue(n.metrics.sendCalls)
		if err := enc.Encode(report); err != nil {
			return err
		}
	}
	return n.Close()
}

func benchSetting(name string, value int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return value
}

// sendEach sends each bytes to every peer: all at once, or a mebibyte every pause, the peers by turns.
func sendEach(rec *recorder, each int64, pause time.Duration) {
	var wg sync.WaitGroup
	for i, p := range rec.peers {
		wg.Go(func() {
			turn := time.NewTimer(pause * time.Duration(i) / time.Duration(len(rec.peers)))
			defer turn.Stop()
			for left := each; left > 0; {
				segment := left
				if pause > 0 {
					<-turn.C
					turn.Reset(pause)
					segment = min(left, 1<<20)
				}
				if err := sendSegment(p, segment); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				left -= segment
			}
		})
	}
	wg.Wait()
}

func sendSegment(p *Peer, size int64) error {
	msg := make([]byte, DefaultMaxMessageSize)
	for left := size; left > 0; left -= int64(len(msg)) {
		msg = msg[:min(int64(len(msg)), left)]
		if err := p.SendWait(context.Background(), msg); err != nil {
			return err
		}
	}
	return nil
}

func measureSelf() (childReport, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return childReport{}, err
	}
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return childReport{}, err
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(statm), &size, &pages); err != nil {
		return childReport{}, err
	}
	cpu := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	return childReport{CPU: cpu.Seconds(), RSS: pages * int64(os.Getpagesize()), Goroutines: runtime.NumGoroutine()}, nil
}
