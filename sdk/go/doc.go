// Package meshapi is the client of Mesh API: one API for every video model.
//
// A generation is a task. Generate starts one, Wait follows it to its end, Download fetches the video:
//
//	client := meshapi.New(meshapi.Config{}) // MESHAPI_API_KEY and MESHAPI_BASE_URL
//
//	task, err := client.Videos.GenerateAndWait(ctx, meshapi.VideoGenerationParams{
//		Model:   "mesh/diorama-1",
//		Content: []meshapi.VideoContentItem{{Type: "text", Text: meshapi.String("A lake at sunrise")}},
//	}, meshapi.WithMaxWait(10*time.Minute))
//	if err != nil {
//		return err
//	}
//	_, err = client.Videos.DownloadFile(ctx, task.ID, "lake.mp4")
//
// Every error of a call is found as a *MeshAPIError by errors.As, and most of them by errors.Is as one of the Err
// values. A task that ended without a result is a *TaskFailedError, a wait that ran out a *WaitTimeoutError.
//
// Reading is repeated when it fails for a passing reason. A create is repeated only when that cannot make a second
// paid task: see MeshAPIError.TaskMayExist.
//
// The package has no dependencies. All its types may be used from several goroutines at once.
package meshapi
