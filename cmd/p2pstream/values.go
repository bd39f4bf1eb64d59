package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/p2pstream/p2pstream/internal/duration"
)

// sizeValue is a number of bytes, written as Kubernetes writes quantities.
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

func (v *rateValue) String() string {
	n := int64(*v)
	for _, u := range rateUnits {
		if n >= u.bits && n%u.bits == 0 {
			return strconv.FormatInt(n/u.bits, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

var rateUnits = []struct {
	name string
	bits int64
}{{"Gbit", 1e9}, {"Mbit", 1e6}, {"kbit", 1e3}, {"bit", 1}}

func (v *rateValue) Set(text string) error {
	for _, u := range rateUnits {
		number, ok := strings.CutSuffix(strings.ToLower(text), strings.ToLower(u.name))
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || n < 0 || n*float64(u.bits) > 1e15 {
			break
		}
		*v = rateValue(n * float64(u.bits))
		return nil
	}
	if text == "0" {
		*v = 0
		return nil
	}
	return fmt.Errorf("%q is not a rate; use 500Mbit, 20Mbit or 0 for no limit", text)
}

// durationValue is a duration like 60s.
type durationValue duration.Duration

func (v *durationValue) String() string { return time.Duration(*v).String() }
func (v *durationValue) Type() string   { return "duration" }

func (v *durationValue) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is not a duration; use 200ms or 60s", text)
	}
	*v = durationValue(d)
	return nil
}
