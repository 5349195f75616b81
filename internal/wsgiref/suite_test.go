package wsgiref_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

// A mapping says where a behaviour of wsgiref is tested here: by subtests, or
// not at all, for a reason. A note tells of a difference that is intended.
type mapping struct {
	tests  []string
	reason string
	note   string
}

// suite has every method of the test suite of wsgiref in CPython 3.11.
var suite = map[string]mapping{
	// Requests and responses as a whole.
	"IntegrationTests.test_plain_hello": {
		tests: []string{"HTTP-17/greeting-as-bytes"},
		note:  "no Server header unless Software is set, and fields are sorted by name (doc/differences.md)",
	},
	"IntegrationTests.test_environ": {
		tests: []string{"CGI-23/fields-that-are-repeated"},
		note:  "AMB-19: repeated fields are joined by a comma and a blank",
	},
	"IntegrationTests.test_request_length": {
		tests: []string{"SRV-08/endless-target"},
		note:  "one limit for the whole head and so 431, where wsgiref has one for the request line and 414",
	},
	"IntegrationTests.test_validated_hello": {
		tests: []string{"MW-18/wrapped-body-has-no-length"},
		note:  "a middleware that only wraps stands in for the validator",
	},
	"IntegrationTests.test_simple_validation_error": {
		tests: []string{"START-22/refused-head"},
		note:  "a header list of another type does not compile; the head is wrong in another way, and the text of the 500 is its status",
	},
	"IntegrationTests.test_status_validation_errors": {
		tests: []string{"HDR-01/status-without-phrase", "HDR-01/status-with-a-letter", "HDR-01/status-without-blank"},
		note:  "the server refuses them by itself, without a validator",
	},
	"IntegrationTests.test_wsgi_input": {
		tests: []string{"INPUT-09/read-to-the-end"},
		note:  "AMB-17: the validator forbids to read without a size, here it is supported",
	},
	"IntegrationTests.test_bytes_validation": {
		tests: []string{"STR-03/bytes"},
		note:  "there is no access log",
	},
	"IntegrationTests.test_cp1252_url": {
		tests: []string{"STR-06/path-that-is-no-text"},
	},
	"IntegrationTests.test_interrupted_write": {
		tests: []string{"BUF-02/block-larger-than-the-socket-takes"},
		note:  "the runtime repeats system calls that a signal interrupted; what is left to test is a socket that takes a block in parts",
	},

	// Package-level tools.
	"UtilityTests.testSimpleShifts": {
		tests: []string{"CGI-32/shift"},
		note:  `"" where Python has None`,
	},
	"UtilityTests.testNormalizedShifts": {
		tests: []string{"CGI-32/shift"},
	},
	"UtilityTests.testDefaults": {
		tests: []string{"ENV-03/request-made-of-nothing", "ENV-03/given-variables-stay"},
		note:  "SERVER_PROTOCOL is HTTP/1.1 and wsgi.multithread true, as on the servers of this module",
	},
	"UtilityTests.testCrossDefaults": {
		tests: []string{"ENV-15/port-by-scheme", "AMB-23/CGI-10/host-is-not-derived"},
		note:  "AMB-23: HTTP_HOST does not follow SERVER_NAME, as no client takes it from there",
	},
	"UtilityTests.testGuessScheme": {
		tests: []string{"SRV-11/scheme-of-a-process-environment"},
	},
	"UtilityTests.testAppURIs": {
		tests: []string{"URL-01/application"},
	},
	"UtilityTests.testReqURIs": {
		tests: []string{"URL-01/request"},
	},
	"UtilityTests.testFileWrapper": {
		tests: []string{"FILE-05/blocks-of-a-size", "FILE-08/closed-with-the-body"},
	},
	"UtilityTests.testHopByHop": {
		tests: []string{"HDR-15/hop-by-hop", "HDR-13/end-to-end"},
		note:  "AMB-08: Trailer and Proxy-Connection are hop-by-hop too",
	},

	// The header list.
	"HeaderTests.testMappingInterface": {
		tests: []string{"HDR-12/list-as-a-mapping"},
	},
	"HeaderTests.testRequireList": {
		reason: "a header list of another type does not compile",
	},
	"HeaderTests.testExtras": {
		tests: []string{"HDR-25/parameters-and-text"},
		note:  "a parameter without a value has an empty one here",
	},

	// One request.
	"HandlerTests.testEnviron": {
		tests: []string{"CFG-04/who-wins", "ENV-20/flags-of-the-server"},
		note:  "AMB-23, ENV-06: nothing comes from the process environment, but in adapters/cgi, whose environment is the request",
	},
	"HandlerTests.testCGIEnviron": {
		tests: []string{"ENV-16/streams-and-scheme"},
		note:  "adapters/cgi has the captures of real web servers besides",
	},
	"HandlerTests.testScheme": {
		tests: []string{"ENV-15/port-by-scheme", "SRV-11/scheme-of-a-process-environment"},
	},
	"HandlerTests.testAbstractMethods": {
		reason: "an incomplete gateway.Transport does not compile",
	},
	"HandlerTests.testContentLength": {
		tests: []string{"LEN-06/one-block", "WRITE-12/written", "LEN-06/bytes-not-characters", "LEN-13/length-without-a-body", "LEN-04/length-without-a-body"},
		note:  "AMB-10: a length without a body is accepted for HEAD only",
	},
	"HandlerTests.testBasicErrorOutput": {
		tests: []string{"LEN-12/nothing", "ERR-10/error-before-the-head"},
		note:  "the text of the 500 is its status",
	},
	"HandlerTests.testErrorAfterOutput": {
		tests: []string{"ERR-11/error-after-the-head"},
		note:  "AMB-28: nothing is appended there either, but here the client can tell that it does not have all",
	},
	"HandlerTests.testHeaderFormats": {
		tests: []string{"HDR-16/heads"},
		note:  "the version is the request's, HTTP/0.9 is refused, and heads without a status line are those of adapters/cgi",
	},
	"HandlerTests.testBytesData": {
		tests: []string{"STR-03/bytes"},
	},
	"HandlerTests.testCloseOnError": {
		tests: []string{"BODY-09/closed-after-an-error"},
	},
	"HandlerTests.testPartialWrite": {
		tests: []string{"BUF-02/block-larger-than-the-socket-takes"},
		note:  "io.Writer does not allow to take less without an error",
	},
	"HandlerTests.testClientConnectionTerminations": {
		tests: []string{"ERR-15/client-leaves", "ERR-15/connection-reset"},
	},
	"HandlerTests.testDontResetInternalStateOnException": {
		tests: []string{"ERR-15/environ-outlives-the-response"},
		note:  "every error of a transport means that the client is gone, so it is told at level debug",
	},
}

// methods is how many methods the suite has, lest one be lost.
const methods = 35

// validator has the checks of wsgiref.validate.
var validator = map[string]mapping{
	// How things are called, and of which type they are.
	"application: two arguments":                {reason: byTheType},
	"application: none by name":                 {reason: byTheType},
	"start_response: two or three arguments":    {reason: byTheType},
	"start_response: none by name":              {reason: byTheType},
	"start_response: exc_info is a triple":      {reason: byTheType},
	"status: a string":                          {reason: byTheType},
	"headers: a list":                           {reason: byTheType},
	"headers: its items are tuples":             {reason: byTheType},
	"headers: its tuples have two items":        {reason: byTheType},
	"headers: names are strings":                {reason: byTheType},
	"headers: values are strings":               {reason: byTheType},
	"body: is no string itself":                 {reason: byTheType},
	"body: blocks are bytes":                    {reason: byTheType},
	"write: one argument, of bytes":             {reason: byTheType},
	"write: no attribute":                       {reason: byTheType},
	"input: read gives bytes":                   {reason: byTheType},
	"input: readline gives bytes":               {reason: byTheType},
	"input: readlines gives a list":             {reason: byTheType},
	"input: lines of readlines are bytes":       {reason: byTheType},
	"input: readline has at most one argument":  {reason: byTheType},
	"input: readlines has at most one argument": {reason: byTheType},
	"input: no other attribute":                 {tests: []string{"INPUT-15/streams-cannot-be-closed"}},
	"errors: no other attribute":                {tests: []string{"INPUT-15/streams-cannot-be-closed"}},
	"errors: write takes a string":              {reason: byTheType},
	"errors: lines of writelines are strings":   {reason: byTheType},
	"environ: a dictionary":                     {reason: byTheType},

	// The streams.
	"input: read has one argument":             {tests: []string{"INPUT-09/read-to-the-end"}, note: "AMB-17: allowed"},
	"input: iteration ends with an empty line": {tests: []string{"INPUT-05/ways-of-reading"}},
	"input: the four methods":                  {tests: []string{"INPUT-05/ways-of-reading"}},
	"input: not closed":                        {tests: []string{"INPUT-15/streams-cannot-be-closed"}},
	"errors: the three methods":                {tests: []string{"LOG-01/ways-of-complaining"}},
	"errors: not closed":                       {tests: []string{"INPUT-15/streams-cannot-be-closed"}},

	// The body.
	"body: there is one":                      {tests: []string{"BODY-01/no-body"}},
	"body: not read after its end":            {tests: []string{"BODY-19/read-once-then-closed"}},
	"body: closed":                            {tests: []string{"BODY-19/read-once-then-closed", "BODY-09/closed-after-an-error"}},
	"body: close is passed on":                {tests: []string{"MW-18/wrapped-body-has-no-length"}},
	"body: start_response by the first block": {tests: []string{"SRV-06/block-without-a-head"}, note: "AMB-01: by the first block that is not empty"},

	// The environ.
	"environ: the required keys":                       {tests: environs},
	"environ: no HTTP_CONTENT_TYPE":                    {tests: environs},
	"environ: no HTTP_CONTENT_LENGTH":                  {tests: environs},
	"environ: QUERY_STRING, a warning":                 {tests: environs, note: "AMB-24: always present"},
	"environ: CGI values are strings":                  {tests: environs},
	"environ: wsgi.version is a pair":                  {tests: environs},
	"environ: wsgi.url_scheme is known":                {tests: environs},
	"environ: SCRIPT_NAME begins with a slash":         {tests: environs},
	"environ: SCRIPT_NAME is no slash":                 {tests: environs},
	"environ: PATH_INFO begins with a slash":           {tests: environs},
	"environ: PATH_INFO where SCRIPT_NAME is empty":    {tests: environs},
	"environ: CONTENT_LENGTH is a number":              {tests: environs},
	"environ: REQUEST_METHOD is well known, a warning": {tests: environs, note: "CGI-30: any token is a method"},

	// The head.
	"status: begins with three digits":         {tests: []string{"HDR-01/status-with-a-letter"}},
	"status: its first word has three letters": {tests: []string{"HDR-01/status-without-blank"}},
	"status: 100 or more":                      {tests: []string{"HDR-05/status-that-is-too-low"}},
	"status: a phrase, a warning":              {tests: []string{"HDR-01/status-without-phrase"}, note: "AMB-13: the blank is required, the phrase may be empty"},
	"headers: no Status":                       {reason: "binds applications: HDR-19 of the lint"},
	"headers: no colon or line end in a name":  {tests: []string{"HDR-10/name-with-a-colon", "HDR-09/name-with-a-line-end"}},
	"headers: letters and digits in a name":    {tests: []string{"HDR-09/every-token"}, note: "wider: any token is a name"},
	"headers: a name ends in neither - nor _":  {tests: []string{"HDR-09/every-token"}, note: "wider: any token is a name"},
	"headers: no control character in a value": {tests: []string{"HDR-11/value-with-a-line-end"}, note: "AMB-07: DEL is one too"},
	"headers: Content-Type with a body":        {tests: []string{"HDR-21/no-type"}, note: "HDR-20: binds applications, a warning of the lint"},
	"headers: no Content-Type without one":     {tests: []string{"HDR-21/no-type"}, note: "as above"},
}

const byTheType = "another number or type of arguments or results does not compile"

var environs = []string{"ENV-03/environs-recorded", "ENV-03/environs-live"}

// checks is how many checks the validator has.
const checks = 61

// TestMapping sees to it that nothing of wsgiref is forgotten, and that nothing
// here is without a counterpart there.
func TestMapping(t *testing.T) {
	if len(suite) != methods {
		t.Errorf("suite has %d methods, expected %d", len(suite), methods)
	}
	if len(validator) != checks {
		t.Errorf("validator has %d checks, expected %d", len(validator), checks)
	}
	subtests := subtests(t)
	used := make(map[string]bool)
	for _, table := range []map[string]mapping{suite, validator} {
		for key, m := range table {
			if (len(m.tests) == 0) == (m.reason == "") {
				t.Errorf("%s: tests are %q and the reason for none is %q, expected one of the two", key, m.tests, m.reason)
			}
			for _, name := range m.tests {
				used[name] = true
				if !slices.Contains(subtests, name) {
					t.Errorf("%s: there is no subtest %s", key, name)
				}
			}
		}
	}
	for _, name := range subtests {
		if !used[name] {
			t.Errorf("subtest %s has no counterpart in wsgiref", name)
		}
	}
}

var subtestName = regexp.MustCompile(`^[A-Z]+-[0-9][0-9]/.`)

// subtests returns the names of this package's subtests: the string literals
// of that form outside of this file.
func subtests(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if name == "suite_test.go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				name, err := strconv.Unquote(lit.Value)
				if err == nil && subtestName.MatchString(name) {
					names = append(names, name)
				}
			}
			return true
		})
	}
	return names
}
