package proxy

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// resourceTimeout is how long the origin may take for one resource.
const resourceTimeout = 20 * time.Second

// resourceMaxAge is how long a resource is served without asking the origin: some
// encoders write another initialization section under the same name when they
// restart.
const resourceMaxAge = time.Minute

// resources fetches what is not a segment, once for all players that ask at a time,
// and caches what is small. The cache is served while the origin is unreachable.
type resources struct {
	most int64
	life context.Context //nolint:containedctx // the server's: a fetch serves several requests
	work sync.WaitGroup

	mu      sync.Mutex
	held    map[string]*list.Element // of *resource
	order   *list.List               // least recently used first
	bytes   int64
	fetches map[string]*resourceFetch
}

// resource is a cached one.
type resource struct {
	key  string
	data []byte
	at   time.Time
}

// resourceFetch is a running fetch.
type resourceFetch struct {
	done chan struct{}
	data []byte
	err  error
}

// errTooManyFetches says that too many resources are being fetched. A fetch continues when its requester has gone, so the
// bound on requests does not bound fetches.
var errTooManyFetches = errors.New("too many resources are being fetched")

func newResources(life context.Context, most int64) *resources {
	return &resources{most: most, life: life, held: map[string]*list.Element{}, order: list.New(), fetches: map[string]*resourceFetch{}}
}

// get returns a resource as a whole. Keys are never cached: the key server may
// check each request.
func (c *resources) get(ctx context.Context, source *manifest.Source, r manifest.Reference) ([]byte, error) {
	key := r.Resource.Key()
	c.mu.Lock()
	var old *resource
	if e, ok := c.held[key]; ok && r.Kind != manifest.RefKey {
		c.order.MoveToBack(e)
		if old = e.Value.(*resource); time.Since(old.at) < resourceMaxAge {
			c.mu.Unlock()
			return old.data, nil
		}
	}
	f := c.fetches[key]
	if f == nil && len(c.fetches) >= maxFetches {
		c.mu.Unlock()
		if old != nil {
			return old.data, nil // an old copy is better than an error
		}
		return nil, errTooManyFetches
	}
	if f == nil {
		f = &resourceFetch{done: make(chan struct{})}
		c.fetches[key] = f
		c.work.Go(func() { c.fetch(f, source, r) })
	}
	c.mu.Unlock()
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if f.err != nil && old != nil {
		return old.data, nil // an old copy is better than an error
	}
	return f.data, f.err
}

// stats returns the bytes cached and the number of running fetches.
func (c *resources) stats() (bytes int64, fetches int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes, len(c.fetches)
}

func (c *resources) fetch(f *resourceFetch, source *manifest.Source, r manifest.Reference) {
	defer close(f.done)
	ctx, cancel := context.WithTimeout(c.life, resourceTimeout)
	defer cancel()
	f.data, f.err = fetchResource(ctx, source, r.Resource)
	key := r.Resource.Key()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.fetches, key)
	if f.err == nil && r.Kind != manifest.RefKey {
		c.keep(&resource{key: key, data: f.data, at: time.Now()})
	}
}

// keep caches a resource and evicts those used longest ago; c is locked.
func (c *resources) keep(r *resource) {
	if old, ok := c.held[r.key]; ok {
		c.drop(old)
	}
	size := int64(len(r.data))
	if size > c.most/4 {
		return
	}
	for c.bytes+size > c.most {
		c.drop(c.order.Front())
	}
	c.held[r.key] = c.order.PushBack(r)
	c.bytes += size
}

func (c *resources) drop(e *list.Element) {
	r := c.order.Remove(e).(*resource)
	delete(c.held, r.key)
	c.bytes -= int64(len(r.data))
}

var errTooLarge = errors.New("the resource is too large")

func fetchResource(ctx context.Context, source *manifest.Source, r manifest.Resource) ([]byte, error) {
	body, total, err := source.FetchResource(ctx, r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }() // read to its end or given up
	if total > maxResourceBytes {
		return nil, fmt.Errorf("%w: %d bytes", errTooLarge, total)
	}
	data, err := io.ReadAll(io.LimitReader(body, maxResourceBytes+1))
	if err == nil && len(data) > maxResourceBytes {
		err = fmt.Errorf("%w: more than %d bytes", errTooLarge, maxResourceBytes)
	}
	return data, err
}
