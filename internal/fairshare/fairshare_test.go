package fairshare

import (
	"math/rand/v2"
	"testing"
)

func TestWhoHasMostForItsWeightGivesWay(t *testing.T) {
	all := []Use{{Used: 10, Weight: 1}, {Used: 30, Weight: 5}, {Used: 0, Weight: 1}, {Used: 12}}
	if got := Most(all); got != 3 {
		t.Errorf("%d", got)
	}
	if Most(nil) != -1 || Most([]Use{{Weight: 3}}) != -1 {
		t.Error("nobody has anything")
	}
	if !Precedes(Use{Used: 4, Weight: 1}, Use{Used: 6, Weight: 1}, 1) || Precedes(Use{Used: 5, Weight: 1}, Use{Used: 6, Weight: 1}, 1) {
		t.Error("one more must not turn the order round")
	}
	if !Precedes(Use{Used: 10, Weight: 3}, Use{Used: 6, Weight: 1}, 1) {
		t.Error("weights count")
	}
}

func TestPartsAreByWeight(t *testing.T) {
	if got := Part(100, 1, 4); got != 25 {
		t.Errorf("%v", got)
	}
	if got := Part(100, 2, 0); got != 100 {
		t.Errorf("%v", got)
	}
}

// TestCompetitionEndsInFairShares: in whatever order users ask, a user that asks for enough ends within one of its
// share, one that asks for less has all that it asked for, and nothing stays unused.
func TestCompetitionEndsInFairShares(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		capacity := int64(20 + rnd.IntN(200))
		users := make([]Use, 2+rnd.IntN(6))
		for i := range users {
			users[i].Weight = int64(1 + rnd.IntN(4))
		}
		small := Use{Weight: 1}
		users[0] = small
		asks := int64(3) // of the first user; the others ask without end
		for range 8_000 {
			i := rnd.IntN(len(users))
			if i == 0 && users[0].Used >= asks {
				continue
			}
			var total int64
			for _, u := range users {
				total += u.Used
			}
			if total < capacity {
				users[i].Used++
			} else if m := Most(users); m != i && Precedes(users[i], users[m], 1) {
				users[i].Used++
				users[m].Used--
			}
		}
		var total, weights int64
		for i, u := range users {
			total += u.Used
			if i > 0 {
				weights += u.Weight
			}
		}
		if total != capacity {
			t.Fatalf("%d of %d are used", total, capacity)
		}
		if users[0].Used != min(asks, capacity/(weights+1)) && users[0].Used < asks-1 {
			t.Fatalf("the user with few wishes has %d: %v", users[0].Used, users)
		}
		for _, u := range users[1:] {
			share := float64(capacity-users[0].Used) * float64(u.Weight) / float64(weights)
			if off := float64(u.Used) - share; off < -float64(u.Weight)-1 || off > float64(u.Weight)+1 {
				t.Fatalf("%d, its share is %.1f: %v", u.Used, share, users)
			}
		}
	}
}
