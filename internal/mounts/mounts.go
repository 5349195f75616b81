// Package mounts has what is the same of all prefixes that something is mounted at.
package mounts

import (
	"fmt"
	"strings"
)

// Clean returns prefix without a slash at its end, "" for "/". An error means that no
// path that was cleaned can be below it; its text goes on after what prefix is of.
func Clean(prefix string) (string, error) {
	clean := strings.TrimSuffix(prefix, "/")
	if clean == "" {
		return "", nil
	}
	if clean[0] != '/' {
		return "", fmt.Errorf("is %q, expected a path that begins with a slash", prefix)
	}
	for segment := range strings.SplitSeq(clean[1:], "/") {
		if segment == "" || segment == "." || segment == ".." {
			return "", fmt.Errorf("is %q, expected a clean path, without the segment %q", prefix, segment)
		}
	}
	return clean, nil
}
