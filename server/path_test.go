package server_test

import (
	"net/http"
	"testing"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestHandlerMounted mounts the application as net/http mounts things.
func TestHandlerMounted(t *testing.T) {
	tests := []struct {
		name, prefix, target, script, info string
	}{
		{"CGI-02/StripPrefix", "/app", "/app/x", "/app", "/x"},
		{"CGI-03/exact", "/app", "/app", "/app", ""},
		{"CGI-14/prefix-with-slash", "/app/", "/app/x", "/app", "/x"},
		{"CGI-14/prefix-with-slash-and-one-more", "/app/", "/app//x", "/app", "//x"},
		{"CGI-14/prefix-with-slash-alone", "/app/", "/app/", "/app", "/"},
		{"CGI-19/only-a-slash", "/", "/x", "", "/x"},
		{"CGI-19/two-slashes", "/", "//x", "", "/x"},
		{"CGI-14/slashes-alone", "//", "///x", "", "/x"},
		{"CGI-14/prefix-with-slashes", "/app//", "/app//x", "/app", "//x"},
		{"CGI-14/prefix-with-slashes-and-one-more", "/app//", "/app///x", "/app", "///x"},
		{"CGI-14/in-a-name", "/ap", "/apple", "/ap", "/ple"},
		{"CGI-20/encoded", "/app", "/app/%41%2Fb", "/app", "/A/b"},
		{"CGI-20/encoded-prefix", "/a b", "/a%20b/c", "/a b", "/c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := http.StripPrefix(tt.prefix, server.Handler(wsgi.AppFunc(dump)))
			got := serveHandler(t, h, false).environ(get(tt.target))
			if got["SCRIPT_NAME"] != tt.script || got["PATH_INFO"] != tt.info {
				t.Errorf("SCRIPT_NAME and PATH_INFO are %q and %q, expected %q and %q",
					got["SCRIPT_NAME"], got["PATH_INFO"], tt.script, tt.info)
			}
		})
	}
}
