// The program hits the points named by its arguments, one after the other, and says so.
package main

import (
	"fmt"
	"os"

	"dozor/internal/failpoint"
)

func main() {
	for _, name := range os.Args[1:] {
		failpoint.Hit(name)
		fmt.Println("passed", name)
	}
}
