package kube

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// errWatchEnded: the API server ends a watch after half an hour, or when it restarts.
var errWatchEnded = errors.New("the API server ended the watch; versions may have been missed")

// Follow calls see with each existing object of a kind and then with every later version, in order, until ctx ends. It
// returns an error if the watch ends before.
func (c *Client) Follow(ctx context.Context, list client.ObjectList, see func(client.Object), options ...client.ListOption) error {
	w, err := c.Watch(ctx, list, options...)
	if err != nil {
		return fmt.Errorf("watching %T: %w", list, err)
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, more := <-w.ResultChan():
			o, is := e.Object.(client.Object)
			switch {
			case !more && ctx.Err() != nil:
				return nil
			case !more:
				return errWatchEnded
			case e.Type == watch.Error || !is:
				return fmt.Errorf("watching %T: %+v", list, e.Object)
			}
			see(o)
		}
	}
}
