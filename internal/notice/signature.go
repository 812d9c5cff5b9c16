package notice

import (
	"path/filepath"
	"strings"
)

// signatureEndings are of the files beside a notice that hold its signatures: one
// person's, and another's where two are needed.
var signatureEndings = [...]string{".sig", ".sig.2"}

// SignatureNames gives the names of a file's signatures, beside it in the folder:
// winter-break.md.sig and winter-break.md.sig.2 for winter-break.md.
func SignatureNames(name string) []string {
	names := make([]string, len(signatureEndings))
	for i, ending := range signatureEndings {
		names[i] = name + ending
	}
	return names
}

// Signed gives the name of the file that a signature's file belongs to.
func Signed(signature string) (name string, ok bool) {
	for _, ending := range signatureEndings {
		if name, ok := strings.CutSuffix(signature, ending); ok && IsName(name) {
			return name, true
		}
	}
	return "", false
}

// ReadSignatures reads the signatures beside a file of the folder, in the order of
// SignatureNames. One that isn't there, or is no regular file, is nil.
func ReadSignatures(siteDir, name string) [][]byte {
	return SignaturesBeside(filepath.Join(siteDir, Folder, name))
}

// SignaturesBeside is ReadSignatures for a file that lies anywhere.
func SignaturesBeside(file string) [][]byte {
	names := SignatureNames(file)
	signatures := make([][]byte, len(names))
	for i, n := range names {
		if src, err := readRegular(n); err == nil {
			signatures[i] = append([]byte{}, src...)
		}
	}
	return signatures
}
