package mounts

import "testing"

func TestClean(t *testing.T) {
	for _, tt := range []struct{ prefix, want, wrong string }{
		{"", "", ""},
		{"/", "", ""},
		{"/a", "/a", ""},
		{"/a/", "/a", ""},
		{"/a/b c/", "/a/b c", ""},
		{"/...", "/...", ""},
		{"a", "", `is "a", expected a path that begins with a slash`},
		{"a/", "", `is "a/", expected a path that begins with a slash`},
		{"//", "", `is "//", expected a clean path, without the segment ""`},
		{"//a", "", `is "//a", expected a clean path, without the segment ""`},
		{"/a//", "", `is "/a//", expected a clean path, without the segment ""`},
		{"/./a", "", `is "/./a", expected a clean path, without the segment "."`},
		{"/a/..", "", `is "/a/..", expected a clean path, without the segment ".."`},
	} {
		t.Run(tt.prefix, func(t *testing.T) {
			got, err := Clean(tt.prefix)
			wrong := ""
			if err != nil {
				wrong = err.Error()
			}
			if got != tt.want || wrong != tt.wrong {
				t.Errorf("got %q and the error %q, expected %q and %q", got, wrong, tt.want, tt.wrong)
			}
		})
	}
}
