package main

import (
	"fmt"
	"runtime"
)

// version is set by the build, from the state of the sources.
var version = "devel"

type versionCommand struct{}

func (versionCommand) Run(s streams) error {
	_, err := fmt.Fprintf(s.out, "dozor %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
