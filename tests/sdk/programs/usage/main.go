// What keys have used, told as JSON: `usage FROM TO [DIMENSION...]`, days such as 2026-11-21. The server is the
// environment's.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"time"

	meshapi "github.com/aifiesta/meshapi-go-sdk"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	client := meshapi.New(meshapi.Config{})
	report, err := client.Usage.Get(ctx, &meshapi.UsageParams{From: day(os.Args[1]), To: day(os.Args[2]), By: os.Args[3:]})
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		log.Fatal(err)
	}
}

// day reads a day; "" is none.
func day(text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	moment, err := time.Parse(time.DateOnly, text)
	if err != nil {
		log.Fatal(err)
	}
	return moment
}
