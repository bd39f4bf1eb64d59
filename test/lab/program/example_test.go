package program_test

import (
	"context"
	"fmt"

	stun "github.com/p2pstream/p2pstream/runtime/stun/config"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/program"
)

// A program without tests launches programs and ends them itself; a test calls program.Start instead.
func ExampleLaunch() {
	const listen, admin = "127.0.0.1:3478", "127.0.0.1:3479"
	p, err := program.Launch(context.Background(), program.Spec{
		Command: "stun", Config: stun.Config{Listen: listen, AdminListen: admin}, Admin: admin,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	metrics, err := lab.Scrape(context.Background(), p.Admin)
	fmt.Println(metrics.Sum("go_goroutines"), err)
	if err := p.Terminate(); err != nil {
		fmt.Println(err)
	}
}
