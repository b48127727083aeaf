package meshapi

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Cases that this SDK is known to fail stand in testdata/known_failing.json, {suite: [description, ...]}. A listed case
// runs in a process of its own, where it may fail; one that passes fails the build, so that the list stays honest.
const (
	knownFailingFile = "testdata/known_failing.json"
	// listVariable names another list, for the test of this mechanism; aloneVariable is set in the process of one case.
	listVariable  = "MESHAPI_TEST_KNOWN_FAILING"
	aloneVariable = "MESHAPI_TEST_ALONE"
)

// runCase runs a case as a subtest; one that is listed must fail.
func runCase(t *testing.T, suite, description string, run func(*testing.T)) {
	t.Helper()
	listed := slices.Contains(knownFailing(t)[suite], description)
	t.Run(description, func(t *testing.T) {
		if !listed || os.Getenv(aloneVariable) != "" {
			run(t)
			return
		}
		if output, err := runAlone(t.Name()); err == nil {
			t.Errorf("the case passes although %s lists it; take it off\n%s", knownFailingFile, output)
		}
	})
}

// knownFailing is the list.
func knownFailing(t *testing.T) map[string][]string {
	t.Helper()
	path := os.Getenv(listVariable)
	if path == "" {
		path = knownFailingFile
	}
	known := map[string][]string{}
	readStrictly(t, path, &known)
	return known
}

// runAlone runs one test of this binary in a process of its own; the error says that it failed.
func runAlone(name string, more ...string) (string, error) {
	var pattern []string
	for _, part := range strings.Split(name, "/") {
		pattern = append(pattern, "^"+regexp.QuoteMeta(part)+"$")
	}
	command := exec.Command(os.Args[0], "-test.run", strings.Join(pattern, "/"), "-test.count=1", "-test.v")
	command.Env = append(append(os.Environ(), aloneVariable+"=1"), more...)
	output, err := command.CombinedOutput()
	if err == nil && !strings.Contains(string(output), "--- PASS") {
		err = os.ErrNotExist // nothing ran
	}
	return string(output), err
}

func TestEveryKnownFailingCaseIsThere(t *testing.T) {
	for suite, descriptions := range knownFailing(t) {
		var file struct {
			Cases []struct {
				Description string `json:"description"`
			} `json:"cases"`
		}
		readLeniently(t, contract+"/vectors/"+suite+".json", &file)
		for _, description := range descriptions {
			if !slices.ContainsFunc(file.Cases, func(each struct {
				Description string `json:"description"`
			},
			) bool {
				return each.Description == description
			}) {
				t.Errorf("%s lists %q, which %s does not have", knownFailingFile, description, suite)
			}
		}
	}
}

// TestNumbers is what the test below runs in processes of its own: one case that passes and one that fails.
func TestNumbers(t *testing.T) {
	if os.Getenv(listVariable) == "" {
		t.Skip("a part of TestAKnownFailingCaseThatPassesFailsTheBuild")
	}
	for description, sum := range map[string]int{"two and two/are four": 4, "two and two are (five)": 5} {
		runCase(t, "numbers", description, func(t *testing.T) {
			if 2+2 != sum {
				t.Error("they are not")
			}
		})
	}
}

func TestAKnownFailingCaseThatPassesFailsTheBuild(t *testing.T) {
	for name, each := range map[string]struct {
		list   string
		passes bool
		told   string
	}{
		"the failing case is listed": {`{"numbers": ["two and two are (five)"]}`, true, ""},
		"no case is listed":          {`{}`, false, "they are not"},
		"both cases are listed": {
			`{"numbers": ["two and two/are four", "two and two are (five)"]}`, false, "the case passes although",
		},
	} {
		t.Run(name, func(t *testing.T) {
			list := t.TempDir() + "/list.json"
			if err := os.WriteFile(list, []byte(each.list), 0o600); err != nil {
				t.Fatal(err)
			}
			output, err := runAlone("TestNumbers", listVariable+"="+list, aloneVariable+"=")
			if (err == nil) != each.passes || !strings.Contains(output, each.told) {
				t.Errorf("passed: %v, want %v\n%s", err == nil, each.passes, output)
			}
		})
	}
}
