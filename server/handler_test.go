package server_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// handlerEnviron sends target through h, which must be or wrap a Handler of
// dump, and returns the string variables.
func handlerEnviron(t *testing.T, h http.Handler, target string) map[string]string {
	t.Helper()
	s := httptest.NewServer(h)
	defer s.Close()
	response, err := http.Get(s.URL + target)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body bytes.Buffer
	body.ReadFrom(response.Body)
	vars := make(map[string]string)
	for line := range strings.Lines(body.String()) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		if len(parts) != 3 {
			t.Fatalf("answer is %s %q, expected a dump", response.Status, body.String())
		}
		vars[parts[0]], _ = strconv.Unquote(parts[2])
	}
	return vars
}
