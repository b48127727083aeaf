package meshapi

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestModelsAreListedAndFound(t *testing.T) {
	row := `{"id":"mesh/diorama-1","name":"Diorama","is_free":true,"pricing":{"output_usd_per_unit":"0","notes":null},` +
		`"supports_video_generation":true,"video":{"durations":[5,10],"ratios":["16:9"],"audio":true,"max_images":2,"fps":null},"new":1}`
	server := newRecorder(t,
		prepared{status: http.StatusOK, body: "[" + row + ",null,7]"},
		prepared{status: http.StatusOK, body: `{"data":[` + row + `]}`},
		prepared{status: http.StatusOK, body: row},
		prepared{status: http.StatusOK, body: `"models"`})
	client := server.client(t)
	for range 2 {
		models, err := client.Models.List(testContext(t), &ListModelsParams{Type: "video", Provider: "mesh"})
		if err != nil || len(models) != 1 || models[0].ID != "mesh/diorama-1" {
			t.Fatalf("got %+v, %v", models, err)
		}
	}
	if got := server.all()[0].uri; got != "/v1/models?type=video&provider=mesh" {
		t.Errorf("asked for %s", got)
	}
	model, err := client.Models.Get(testContext(t), "mesh/diorama-1")
	if err != nil || model.Video == nil || len(model.Video.Durations) != 2 || !model.Video.Audio || *model.Video.MaxImages != 2 ||
		model.Video.FPS != nil || model.Pricing["output_usd_per_unit"] != "0" || !strings.Contains(string(model.Raw), `"new":1`) {
		t.Errorf("got %+v, %v", model, err)
	}
	if _, err := client.Models.List(testContext(t), nil); !errors.Is(err, ErrUndecodable) {
		t.Errorf("got %v, want ErrUndecodable", err)
	}
}
