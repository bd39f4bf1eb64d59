package core

import "testing"

func TestHashFractionIsUniformAndRepeatable(t *testing.T) {
	var sum float64
	for id := range int64(1000) {
		x := hashFraction(42, id)
		if x != hashFraction(42, id) || x < 0 || x >= 1 {
			t.Fatalf("hashFraction(42, %d) = %v", id, x)
		}
		sum += x
	}
	if mean := sum / 1000; mean < 0.45 || mean > 0.55 {
		t.Errorf("mean = %v", mean)
	}
	if hashFraction(1, 7) == hashFraction(2, 7) {
		t.Error("two seeds give the same number")
	}
}
