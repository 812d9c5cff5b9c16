package main

import (
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets this test's own binary be `backsoon`, for scripts and for tests
// that start it from PATH.
func TestMain(m *testing.M) {
	testscript.Main(withPostgres{m}, map[string]func(){"backsoon": main, "bareloop": bareLoop})
}

// TestScripts runs each command as a shopkeeper does: testdata/script/*.txtar.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                scriptCommands,
		Setup:               surround,
		Deadline:            time.Now().Add(3 * time.Minute), // what never ends by itself
	})
}

// scriptCommands are what scripts can say beside testscript's own commands.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"await": await,
}

// patience is for what another process has to do; it only ends a broken test.
const patience = 20 * time.Second

// await FILE REGEXP waits until the file is there and its text matches.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("write: await FILE REGEXP")
	}
	want, err := regexp.Compile(args[1])
	ts.Check(err)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if text, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && want.Match(text) {
			return
		}
	}
	ts.Fatalf("%s never came to match %s", args[0], args[1])
}
