package lab_test

import (
	"context"
	"fmt"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

// Outside of tests a condition is waited for with a context, and its failure is an error.
func ExampleWait() {
	viewers := 0
	err := lab.Wait(context.Background(), 10*time.Second, "two viewers", func() error {
		if viewers++; viewers < 2 {
			return fmt.Errorf("%d viewers", viewers)
		}
		return nil
	})
	fmt.Println(viewers, err)
	// Output: 2 <nil>
}
