package meshapi

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const contract = "../../contract"

// vector is one case of a suite of contract/vectors.
type vector[Given, Want any] struct {
	Description string `json:"description"`
	Given       Given  `json:"given"`
	Want        Want   `json:"want"`
}

// suites are the files of contract/vectors that the tests of this package run.
var suites = []string{
	"base-url", "content-items", "error-decoding", "list-query", "paging", "path-escaping", "polling-schedule",
	"quote-decoding", "request-encoding", "retry-after", "retry-schedule", "sse", "task-decoding", "timeline-decoding",
	"usage-decoding", "usage-query", "webhook-decoding", "webhooks",
}

// A vector file that nobody runs would be a promise that nobody keeps.
func TestEverySuiteOfTheContractIsRun(t *testing.T) {
	files, err := filepath.Glob(contract + "/vectors/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	var found []string
	for _, file := range files {
		found = append(found, strings.TrimSuffix(filepath.Base(file), ".json"))
	}
	if !slices.Equal(found, suites) {
		t.Errorf("contract/vectors has %v, the tests run %v", found, suites)
	}
}

// runSuite runs each case of a suite as a subtest. A member of a case that the test does not know is an error.
func runSuite[Given, Want any](t *testing.T, name string, run func(*testing.T, Given, Want)) {
	t.Helper()
	if !slices.Contains(suites, name) {
		t.Fatalf("the suite %s is not listed", name)
	}
	var file struct {
		Suite       string                `json:"suite"`
		Description string                `json:"description"`
		Cases       []vector[Given, Want] `json:"cases"`
	}
	readStrictly(t, contract+"/vectors/"+name+".json", &file)
	if len(file.Cases) == 0 {
		t.Fatalf("the suite %s has no cases", name)
	}
	for _, each := range file.Cases {
		runCase(t, name, each.Description, func(t *testing.T) { run(t, each.Given, each.Want) })
	}
}

func readStrictly(t *testing.T, path string, into any) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	decoder := json.NewDecoder(file)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// normal is a value as it reads after a passage through JSON, for comparing.
func normal(t *testing.T, value any) any {
	t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var decoded any
	if err := json.Unmarshal(encoded, &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

func readLeniently(t *testing.T, path string, into any) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
