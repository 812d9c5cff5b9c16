package strictyaml

import (
	"slices"
	"strings"
)

// unknownKey is empty for a known key, and else says which one may be meant.
func unknownKey(key string, known []string) string {
	if slices.Contains(known, key) {
		return ""
	}
	if near, ok := Nearest(key, known); ok {
		return "did you mean " + near + "?"
	}
	return "the keys are " + strings.Join(known, ", ")
}

// Nearest gives the known word that is the fewest edits away from word, and
// false when none is near.
func Nearest(word string, known []string) (string, bool) {
	best, least := "", max(2, len(word)/2)+1
	for _, k := range known {
		if d := distance(strings.ToLower(Clip(word)), k); d < least {
			best, least = k, d
		}
	}
	return best, best != ""
}

// distance is the Levenshtein distance: how many characters have to be added,
// dropped or replaced to make b of a.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j, s := range to {
			replace := diagonal
			if r != s {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}
