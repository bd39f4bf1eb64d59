package main

import (
	"fmt"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/internal/duration"
)

// sizeValue is a number of bytes, written as a Kubernetes quantity.
type sizeValue int64

func (v *sizeValue) String() string {
	return resource.NewQuantity(int64(*v), resource.BinarySI).String()
}
func (v *sizeValue) Type() string { return "size" }

func (v *sizeValue) Set(text string) error {
	q, err := resource.ParseQuantity(text)
	if err != nil || q.Sign() < 0 {
		return fmt.Errorf("%q is not a size; use 512Mi or 1Gi", text)
	}
	*v = sizeValue(q.Value())
	return nil
}

// rateValue is a number of bits per second, written like 500Mbit.
type rateValue int64

func (v *rateValue) Type() string { return "rate" }

// String returns "0" for no limit, which the help of a flag does not show as its default.
func (v *rateValue) String() string {
	if *v == 0 {
		return "0"
	}
	return strconv.FormatInt(int64(*v)/1000, 10) + "kbit"
}

func (v *rateValue) Set(text string) error {
	if text == "0" {
		text = "" // no limit, as in the manifest
	}
	n, err := v1.BitRate(text).BitsPerSecond()
	*v = rateValue(n)
	return err
}

// durationValue is a duration like 60s.
type durationValue duration.Duration

func (v *durationValue) Type() string { return "duration" }

// String returns "0" for a duration that is not set, which the help of a flag does not show as its default.
func (v *durationValue) String() string {
	if *v == 0 {
		return "0"
	}
	return time.Duration(*v).String()
}

func (v *durationValue) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is not a duration; use 200ms or 60s", text)
	}
	*v = durationValue(d)
	return nil
}
