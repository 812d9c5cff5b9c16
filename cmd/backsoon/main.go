// Command backsoon closes an online shop for a while, says so everywhere, and
// proves afterwards who closed it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // the shop's zone must be known on every machine

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/strictyaml"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // used wrongly
)

// run is the whole program but for its end, and gives its exit code.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	report(cmd, err)
	var usage *usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

func rootCommand() *cobra.Command {
	s := &site{}
	root := &cobra.Command{
		Use:   "backsoon",
		Short: "The “back soon” sign on an online shop's door",
		Long: "backsoon closes an online shop for a while. One Markdown notice becomes a status page and feeds;\n" +
			"a watcher switches the storefronts' checkout off and on, mails the customers who asked, and logs\n" +
			"who published each change.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("%q is not a command; `backsoon --help` lists them", args[0])
			}
			return cmd.Help()
		},
	}
	root.PersistentFlags().StringVar(&s.dir, "site", ".", "the site's `folder`, the one with backsoon.yaml")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usagef("%v", err) })
	root.AddCommand(commands(s)...)
	return root
}

// usageError says that the program was used wrongly.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// takes checks the number of arguments; usage names them.
func takes(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > most && cmd.HasAvailableSubCommands():
			return usagef("%q is not a command; `%s --help` lists them", args[0], cmd.CommandPath())
		case len(args) < least || len(args) > most:
			return usagef("write: %s", cmd.UseLine())
		}
		return nil
	}
}

// report writes an error: mistakes in files as lines that editors can jump to,
// anything else as one line.
func report(cmd *cobra.Command, err error) {
	out := cmd.ErrOrStderr()
	var problems strictyaml.Problems
	if errors.As(err, &problems) {
		fmt.Fprintln(out, problems.Error())
	}
	if plain, ok := err.(strictyaml.Problems); !ok || plain == nil {
		where := "backsoon: "
		if cmd.HasParent() {
			where += cmd.Name() + ": "
		}
		fmt.Fprintln(out, where+summary(err))
	}
}

// summary is the error without the problems that stand above it.
func summary(err error) string {
	var p *problemsError
	if errors.As(err, &p) {
		return p.summary
	}
	return err.Error()
}

// problemsError sums problems up by what they keep from happening.
type problemsError struct {
	problems strictyaml.Problems
	summary  string
}

func (e *problemsError) Error() string { return e.summary }
func (e *problemsError) Unwrap() error { return e.problems }
