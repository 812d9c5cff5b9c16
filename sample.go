// Package backsoon holds the sample shop, Harbour Books: its settings and its
// notices, as they stand at the repository's root. The command is cmd/backsoon.
package backsoon

import "embed"

// Sample is the sample shop's site: backsoon.yaml and content/closures.
//
//go:embed backsoon.yaml content
var Sample embed.FS
