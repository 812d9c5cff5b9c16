package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/spf13/cobra"

	"github.com/backsoon/backsoon/internal/config"
	"github.com/backsoon/backsoon/internal/notice"
)

//go:embed skeleton
var skeletonFiles embed.FS

// skeleton holds what a shopkeeper is given to begin with.
var skeleton = template.Must(template.ParseFS(skeletonFiles, "skeleton/*"))

// firstFiles are the files of a new site, and the skeleton of each.
var firstFiles = map[string]string{
	config.File:                     "backsoon.yaml",
	".gitignore":                    "gitignore",
	notice.Folder + "/stocktake.md": "stocktake.md",
}

func initCommand(*site) *cobra.Command {
	return &cobra.Command{
		Use:   "init DIR",
		Short: "Begin a new site that builds as it is",
		Args:  takes(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := args[0]
			if err := canBegin(dir); err != nil {
				return err
			}
			if err := beginSite(dir, time.Now()); err != nil {
				return err
			}
			printSteps(cmd.OutOrStdout(), dir)
			return nil
		},
	}
}

// canBegin tells what is in the way of a new site. A git checkout without any
// files isn't.
func canBegin(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("a new site needs a new or empty folder: %w", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, config.File)); err == nil {
		return fmt.Errorf("%s is a site already: it has a %s; nothing was changed", dir, config.File)
	}
	for _, e := range entries {
		if e.Name() != ".git" {
			return fmt.Errorf("%s is not empty: it has %s; name a new folder. Nothing was changed", dir, e.Name())
		}
	}
	return nil
}

// beginSite writes the files of a new site, and makes the key of its log.
func beginSite(dir string, now time.Time) error {
	zone := machineZone()
	now = now.In(zone).Truncate(time.Minute)
	data := struct{ Timezone, Published, Closes, Reopens string }{
		zone.String(), written(now, zone), written(nextWeek(now), zone), written(weekAfter(now), zone),
	}
	for name, from := range firstFiles {
		src, err := fill(from, data)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := createFile(path, src); err != nil {
			return err
		}
	}
	return makeLogKey(filepath.Join(dir, logKeyName))
}

// fill fills in one of the skeleton's files.
func fill(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	err := skeleton.ExecuteTemplate(&b, name, data)
	return b.Bytes(), err
}

// machineZone is the time zone that this machine is set to, by its name in the
// IANA database (RFC 6557); UTC where it gives none. Like tzset(3), TZ comes
// first, then the system's own setting.
func machineZone() *time.Location {
	debian, _ := os.ReadFile("/etc/timezone")
	link, _ := os.Readlink("/etc/localtime")
	_, linked, _ := strings.Cut(link, "zoneinfo/")
	for _, name := range []string{strings.TrimPrefix(os.Getenv("TZ"), ":"), strings.TrimSpace(string(debian)), linked} {
		if zone, err := time.LoadLocation(name); err == nil && name != "" && name != "Local" {
			return zone
		}
	}
	return time.UTC
}

func printSteps(out io.Writer, dir string) {
	site := dir
	if strings.ContainsAny(dir, " \"'$`\\&;()") {
		site = strconv.Quote(dir)
	}
	fmt.Fprintf(out, `A new site is in %s. Next:
1. Write your shop's name, address and time zone into %s.
2. See the pages, the example with them: backsoon --site %s serve
3. Announce a closure of your own: backsoon --site %s new "Closed for the winter break"
`, dir, filepath.Join(dir, config.File), site, site)
}
