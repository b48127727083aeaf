module github.com/aifiesta/meshapi-go-sdk

go 1.23
