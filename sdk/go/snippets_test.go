package meshapi_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	meshapi "github.com/aifiesta/meshapi-go-sdk"
)

var (
	goFence     = regexp.MustCompile("(?s)```go\n(.*?)```")
	importBlock = regexp.MustCompile(`(?m)^import \(\n((?:.*\n)*?)\)\n|^import (".*")\n`)
)

// snippets are the Go examples of a page, verbatim.
func snippets(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, match := range goFence.FindAllStringSubmatch(string(text), -1) {
		found = append(found, match[1])
	}
	return found
}

// program builds a program whose functions are snippets: name, then the snippets that follow each other. Each has ctx
// and a client of the environment's settings, as the pages assume. Imports move to where the language wants them.
func program(t *testing.T, functions map[string][]string) string {
	t.Helper()
	imports := map[string]bool{
		`"context"`: true, `"fmt"`: true, `"log"`: true, `"os"`: true, `meshapi "github.com/aifiesta/meshapi-go-sdk"`: true,
	}
	var bodies, cases strings.Builder
	for name, parts := range functions {
		body := strings.Join(parts, "\n")
		for _, match := range importBlock.FindAllStringSubmatch(body, -1) {
			for _, line := range strings.Split(match[1]+match[2], "\n") {
				if spec := strings.TrimSpace(line); spec != "" {
					imports[spec] = true
				}
			}
		}
		statements := importBlock.ReplaceAllString(body, "")
		fmt.Fprintf(&bodies, "func %s(ctx context.Context, client *meshapi.Client) {\n%s\n}\n\n", name, statements)
		fmt.Fprintf(&cases, "\tcase %q:\n\t\t%s(ctx, client)\n", name, name)
	}
	var source strings.Builder
	source.WriteString("package main\n\nimport (\n")
	for spec := range imports {
		fmt.Fprintf(&source, "\t%s\n", spec)
	}
	fmt.Fprintf(&source, `)

%s
func main() {
	ctx, client := context.Background(), meshapi.New(meshapi.Config{})
	switch os.Args[1] {
%s	default:
		fmt.Println("no such example")
		log.Fatal(os.Args)
	}
}
`, bodies.String(), cases.String())
	return build(t, source.String())
}

func build(t *testing.T, source string) string {
	t.Helper()
	module, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	files := map[string]string{
		"main.go": source,
		"go.mod": "module example\n\ngo 1.23\n\nrequire github.com/aifiesta/meshapi-go-sdk v0.0.0\n\n" +
			"replace github.com/aifiesta/meshapi-go-sdk => " + module + "\n",
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("go", "build", "-o", "example", ".")
	command.Dir = folder
	command.Env = append(os.Environ(), "GOPROXY=off", "GOTOOLCHAIN=local", "GOFLAGS=-mod=mod")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("the snippets do not compile: %v\n%s\n%s", err, output, source)
	}
	return filepath.Join(folder, "example")
}

// run runs one function of a program against a server and returns what it printed, standard output and error.
func run(t *testing.T, binary, function, baseURL, key string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, binary, function)
	command.Env = append(os.Environ(), "MESHAPI_BASE_URL="+baseURL, "MESHAPI_API_KEY="+key)
	output, err := command.CombinedOutput()
	return string(output), err
}

// seed is the program of the documentation that this module was written to, verbatim.
func seed(t *testing.T) string {
	t.Helper()
	parts := snippets(t, "../../tests/seeds/go.md")
	if len(parts) != 4 {
		t.Fatalf("the page has %d examples, want 4", len(parts))
	}
	return program(t, map[string][]string{"generate": parts[:2], "list": parts[2:3], "retrieve": parts[3:]})
}

func TestTheSeedsSnippetsRunVerbatimAgainstTheHostedForm(t *testing.T) {
	t.Parallel() // the loop of the snippet sleeps for 5 s between two looks
	binary := seed(t)
	server, _ := newHostedService(t)
	for _, step := range []struct{ function, want string }{
		{"generate", "Task ID: cgt-2026-1\nStatus: queued\nStatus: succeeded\n"},
		{"list", "1 total tasks\ncgt-2026-1 succeeded\n"},
		{"retrieve", "queued\n"},
	} {
		printed, err := run(t, binary, step.function, server.URL, "rsk_hosted")
		if err != nil || printed != step.want {
			t.Errorf("%s printed %q, %v, want %q", step.function, printed, err, step.want)
		}
	}
	printed, err := run(t, binary, "list", server.URL, "rsk_wrong")
	if err == nil || !strings.Contains(printed, "401 unauthorized: Invalid key. (request req_0)") {
		t.Errorf("with a wrong key it printed %q, %v", printed, err)
	}
}

func TestTheExamplesOfTheReadmeCompile(t *testing.T) {
	t.Parallel()
	functions := map[string][]string{}
	for index, part := range snippets(t, "README.md") {
		if strings.HasPrefix(part, "package main\n") {
			build(t, part)
			continue
		}
		functions[fmt.Sprintf("example%d", index)] = []string{readmeImports + part}
	}
	if len(functions) < 5 {
		t.Fatalf("the README has %d examples", len(functions))
	}
	program(t, functions)
}

// readmeImports is what the examples of the README leave out for brevity.
const readmeImports = `import (
"errors"
"io"
"net/http"
"time"
)
`

var tableRow = regexp.MustCompile("(?m)^\\| `(\\w+)` +\\| `([^`]+)` +\\|")

// The tables of the documentation, row by row.
func TestTheTypesAreThoseOfTheSeedsTables(t *testing.T) {
	page, err := os.ReadFile("../../tests/seeds/go.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{
		"VideoGenerationParams": meshapi.VideoGenerationParams{},
		"VideoContentItem":      meshapi.VideoContentItem{},
		"VideoTaskResponse":     meshapi.VideoTaskResponse{},
	} {
		_, section, found := strings.Cut(string(page), "### `"+name+"`")
		section, _, _ = strings.Cut(section, "###")
		rows := tableRow.FindAllStringSubmatch(section, -1)
		if !found || len(rows) < 3 {
			t.Fatalf("the page has no table of %s", name)
		}
		for _, row := range rows {
			field, ok := reflect.TypeOf(value).FieldByName(row[1])
			if !ok {
				t.Errorf("%s has no field %s", name, row[1])
				continue
			}
			got := field.Type.String()
			if field.Type.Kind() == reflect.Slice { // a named list can be assigned to the plain one
				got = "[]" + field.Type.Elem().String()
			}
			if got = strings.ReplaceAll(got, "meshapi.", ""); got != row[2] {
				t.Errorf("%s.%s is %s, the table says %s", name, row[1], got, row[2])
			}
		}
	}
}
