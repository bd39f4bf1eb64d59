package loader

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

func unreachable(t *testing.T) *manifest.Source {
	t.Helper()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: "http://127.0.0.1:1/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	return source
}

// TestConfigErrors: New names the field that cannot be used, in a form that programs can tell apart.
func TestConfigErrors(t *testing.T) {
	source := unreachable(t)
	for field, cfg := range map[string]Config{
		"source":      {},
		"role":        {Source: source, Role: 7},
		"onDemand":    {Source: source, Role: RoleSeeder, OnDemand: true},
		"edge":        {Source: source, Edge: true},
		"generations": {Source: source, Generations: []identity.Generation{"v9"}},
		"storeBytes":  {Source: source, StoreBytes: -1},
		"liveDelay":   {Source: source, LiveDelay: -time.Second},
		"trackers":    {Source: source, Trackers: []string{"ws://127.0.0.1:1/announce"}}, // without a node
	} {
		_, err := New(cfg, nil, nil, nil)
		var wrong *ConfigError
		if !errors.As(err, &wrong) || wrong.Field != field || wrong.Problem == "" {
			t.Errorf("%s: error %v", field, err)
		}
	}
	if _, err := New(Config{Source: source}, nil, nil, nil); err != nil {
		t.Errorf("a configuration with a source only: %v", err)
	}
}

// TestNilLogger: an engine without a logger says nothing, also when there is something to say.
func TestNilLogger(t *testing.T) {
	for _, role := range []Role{RoleViewer, RoleSeeder} {
		engine, err := New(Config{Source: unreachable(t), Role: role}, nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- engine.Run(ctx) }()
		for tick := time.NewTicker(10 * time.Millisecond); engine.Status().Error == ""; {
			select {
			case <-tick.C:
			case <-t.Context().Done():
				t.Fatal("the engine met no error")
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	}
}

// TestAnyGenerationUnlessAsked: viewers and seeders join the generations that are out there, and v3 on request only.
func TestAnyGenerationUnlessAsked(t *testing.T) {
	source := unreachable(t)
	for role, want := range map[Role]int{RoleViewer: 1, RoleSeeder: 2} {
		engine, err := New(Config{Source: source, Role: role}, nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := engine.shared.Settings.Generations
		if len(got) != want {
			t.Errorf("role %d joins %v", role, got)
		}
		for _, g := range got {
			if g == identity.V3 {
				t.Errorf("role %d joins v3 without being asked to", role)
			}
		}
	}
}
