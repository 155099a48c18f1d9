// Sends one call of each type by Segment's Go library: endpoint, write key.
package main

import (
	"fmt"
	"os"

	"github.com/segmentio/analytics-go/v3"
)

type failures struct{ count int }

func (f *failures) Success(analytics.Message) {}

func (f *failures) Failure(_ analytics.Message, err error) {
	f.count++
	fmt.Fprintln(os.Stderr, err)
}

func main() {
	failed := &failures{}
	client, err := analytics.NewWithConfig(os.Args[2], analytics.Config{
		Endpoint: os.Args[1],
		Callback: failed,
		DefaultContext: &analytics.Context{App: analytics.AppInfo{Name: "shop"}},
	})
	if err != nil {
		panic(err)
	}
	calls := []analytics.Message{
		analytics.Track{UserId: "u", Event: "By Segment's Go"},
		analytics.Identify{UserId: "u", Traits: analytics.NewTraits().Set("plan", "pro")},
		analytics.Page{UserId: "u", Name: "Home"},
		analytics.Screen{UserId: "u", Name: "Home"},
		analytics.Group{UserId: "u", GroupId: "g"},
		analytics.Alias{UserId: "u", PreviousId: "anonymous"},
	}
	for _, call := range calls {
		if err := client.Enqueue(call); err != nil {
			panic(err)
		}
	}
	client.Close()
	if failed.count > 0 {
		os.Exit(1)
	}
}
