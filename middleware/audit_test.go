package middleware_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/gowsgi/gowsgi/internal/audit"
)

// faults are what was found wrong in the middlewares of other libraries, by trying
// them or by reading them, and the advisories of Rack that are about middlewares.
// Beside each is the test that fails on it here: a package, a test, and where it is
// one case of many, its name.
var faults = []struct{ whose, fault, test string }{
	{"chi", "Recoverer ends a half page as if it were whole", "middleware.TestRecover/after the first byte"},
	{"gorilla", "RecoveryHandler does so too", "middleware.TestRecover/after the first byte"},
	{"gorilla", "RecoveryHandler makes a 500 of http.ErrAbortHandler", "middleware.TestRecover/http.ErrAbortHandler"},
	{"Plack", "StackTrace misses an error that comes when the body has begun", "middleware.TestDebugPagePasses/after the first byte"},
	{"Plack", "ErrorDocument leaves the body that it replaces open, and changes the environ", "middleware.TestErrorPagesCloses"},
	{"Plack", "AccessLog logs before the body is sent", "middleware.TestAccessLogStatus/Plack: logged before the body"},
	{"Rack", "CommonLogger logs nothing when the application raises", "middleware.TestAccessLogStatus/Rack: nothing when the application raises"},
	{"gorilla", "the log has the status of an interim response", "middleware.TestAccessLogStatus/gorilla: an interim response is not the one"},
	{"chi", "RequestID takes any length", "middleware.TestRequestID/chi: 5000 bytes"},
	{"chi", "RequestID takes blanks", "middleware.TestRequestID/chi: blanks"},
	{"chi", "RequestID takes markup", "middleware.TestRequestID/chi: angle brackets"},
	{"chi", "RequestID is not in the response", "middleware.TestRequestID/none"},
	{"Werkzeug", "ProxyFix believes the scheme javascript", "middleware.TestProxyFix/Werkzeug: scheme javascript"},
	{"Werkzeug", "ProxyFix believes an address that is none", "middleware.TestProxyFix/Werkzeug: not an ip"},
	{"Werkzeug", "ProxyFix leaves the port of the server beside a host of https", "middleware.TestProxyFix/Werkzeug: a host without a port has that of the scheme"},
	{"gorilla", "ProxyHeaders takes the leftmost address, which is the client's to choose", "middleware.TestProxyFix/gorilla: not the leftmost"},
	{"gorilla", "ProxyHeaders leaves an address without its port where one with a port belongs", "middleware.TestProxyFix/client with port"},
	{"chi", "RealIP goes on past garbage", "middleware.TestProxyFix/chi: garbage ends it"},
	{"gorilla", "CORS overwrites the application's Vary", "middleware.TestCORS/gorilla: the application's Vary stays"},
	{"gorilla", "CORS has no Vary where a function decides", "middleware.TestCORS/below a name"},
	{"gorilla", "CORS has no Vary on a refusal", "middleware.TestCORS/gorilla: Vary on a refusal"},
	{"gorilla", "CORS sends * with credentials, and drops the errors of its options", "middleware.TestCORS/Credentials"},
	{"gorilla", "CORS answers a preflight that it refuses with 200", "middleware.TestCORS/gorilla: preflight of a stranger is refused"},
	{"gorilla", "CORS cuts MaxAge to ten minutes in silence", "middleware.TestCORS/gorilla: MaxAge as it was given"},
	{"Rack", "MethodOverride makes a GET of a POST, which passes a CSRF check further in", "middleware.TestMethodOverride/Rack: not to GET"},
	{"Rack", "MethodOverride makes a HEAD of a POST", "middleware.TestMethodOverride/Rack: not to HEAD"},
	{"chi", "RequestSize reads on where the declared length is too much already", "middleware.TestBodyLimit/declared"},
	{"wai", "RequestSizeLimit may answer twice", "middleware.TestBodyLimit/after the first byte"},
	{"chi", "Timeout: an application that ignores its context is answered with 200", "middleware.TestTimeout/chi: ignores its context"},
	{"chi", "Timeout: the client takes a half page for a whole one", "middleware.TestTimeout/chi: late after the first block"},
	{"chi", "Timeout: the same after a write", "middleware.TestTimeout/chi: late after a write"},
	{"wai", "Timeout may answer twice", "middleware.TestTimeout/chi: late after the first block"},
	{"net/http", "a slot that is given back when the handler returns, by defer, would not outlast a lazy body", "middleware.TestThrottle/turns come back on every path"},
	{"Plack", "Auth::Basic does not quote the realm", "middleware.TestBasicAuth/none"},
	{"chi", "Compress takes gzip;q=0 for a wish", "middleware.TestCompressNegotiation/chi: q=0 is no"},
	{"chi", "Compress has Vary only where it compressed", "middleware.TestCompressNegotiation/none"},
	{"chi, wai, Rack", "Compress leaves a strong ETag as it is", "middleware.TestCompress/headers of the body"},
	{"chi, Rack", "Compress compresses a 206 under its Content-Range", "middleware.TestCompress/chi: 206 under a Content-Range"},
	{"chi", "Compress sets Content-Encoding on a 304", "middleware.TestCompress/chi: 304"},
	{"chi", "Compress ignores no-transform", "middleware.TestCompress/chi: no-transform"},
	{"chi", "Compress sends raw DEFLATE as deflate", "middleware.TestCompressNegotiation/deflate"},
	{"gorilla", "Compress does not know gzip;q=1.0", "middleware.TestCompressNegotiation/gorilla: q=1.0"},
	{"gorilla", "Compress compresses what is compressed, and calls it br", "middleware.TestCompress/gorilla: encoded already"},
	{"gorilla", "Compress sets Content-Encoding on a 204", "middleware.TestCompress/gorilla: 204"},
	{"gorilla", "Compress compresses images", "middleware.TestCompress/gorilla: an image"},
	{"Rack, Plack", "ConditionalGet compares the list as one text", "middleware.TestConditionalGet/Rack, Plack: a list"},
	{"Plack", "ConditionalGET wants both conditions to hold", "middleware.TestConditionalGet/Plack: the tag alone is enough"},
	{"Plack", "ConditionalGET lets the date win over the tag", "middleware.TestConditionalGet/Plack: the tag wins over the date"},
	{"Plack", "ConditionalGET makes a 304 of what is not a 200", "middleware.TestConditionalGet/Plack: only a 200"},
	{"Plack", "Head leaves the body that it drops open", "middleware.TestHead/at once"},
	{"Plack, Rack", "ContentLength states 0 for HEAD", "middleware.TestContentLength/Plack, Rack: HEAD without a body"},
	{"Plack", "SimpleContentFilter does not see what begins in one block and ends in the next", "middleware.TestFilter/Plack: what lies across two blocks"},
	{"Werkzeug", "ProfilerMiddleware collects the body and loses exc_info", "middleware.TestProfileLabels"},
	{"chi", "Heartbeat and its like answer any method", "middleware.TestHealth/chi: POST is the application's"},
	{"chi", "Sunset has a date of HTTP in Deprecation", "middleware.TestSunset"},
	{"chi", "AllowContentType lets a body of unknown length pass", "middleware.TestAllowContentType/unknown length"},
	{"chi", "ContentCharset changes the list of its caller", "middleware.TestAllowContentType/chi: the caller's list is its own"},
	{"chi", "Maybe and RouteHeaders build a middleware for each request", "middleware.TestChainLaws/5 When builds once"},
	{"chi", "RouteHeaders lets the order of a map decide", "middleware.TestDispatch/longer pattern"},
	{"chi", "RouteHeaders never sees Host on a live server", "middleware.TestDispatchLive"},
	{"wai", "UrlMap takes the first that fits, not the longest", "middleware.TestDispatch/wai: the longest prefix wins"},
	{"alice", "a nil application means another one", "middleware.TestChainRefuses"},
	{"Plack", "Cascade leaves the bodies that it drops open", "middleware.TestCascade/the first that has it"},
	{"net/http", "StripPrefix and cgi.Handler: /app is a prefix of /apple", "middleware.TestMount/net/http/cgi: a segment that only begins alike"},
	{"Rack, Plack", "URLMap puts SCRIPT_NAME back before a lazy body reads it", "middleware.TestMountLazyBody"},
	{"Werkzeug", "DispatcherMiddleware never puts SCRIPT_NAME back", "middleware.TestMount/below"},
	{"wai", "StreamFile states the length of the whole file for a part of it", "middleware.TestSendfile/a part of it"},
	{"Rack", "CVE-2025-25184: what a client sends ends a line of the log", "middleware.TestAccessLogForgery"},
	{"Rack", "CVE-2025-27111: Sendfile writes a header of the request to the log", "middleware.TestSendfile/another folder"},
	{"Rack", "CVE-2025-61780: Sendfile lets a header of the request say what is offloaded", "middleware.TestSendfile/another folder"},

	{"net/http", "ServeContent answers a Range of HEAD", "static.TestOneRange/HEAD"},
	{"net/http", "ServeContent answers a Range of POST", "static.TestOneRange/POST"},
	{"net/http", "ServeContent refuses a unit that it does not know with 416", "static.TestOneRange/unknown unit"},
	{"Rack", "a range that reaches beyond the file is refused", "static.TestOneRange/past the end"},
	{"Rack", "the boundary of parts is a constant", "static.TestManyRanges"},
	{"Rack", "CVE-2024-26141: a part is sent as often as it is asked for", "static.TestRangesDoNotMultiply"},
	{"Rack", "CVE-2026-34826: the same, by many small parts", "static.TestRangesDoNotMultiply"},
	{"Rack", "Static has no Vary for a compressed file", "static.TestEncodings/representation"},
	{"Rack", "CVE-2026-34785: Static has no boundary behind a prefix", "static.TestFallThrough//statica.txt"},
	{"Rack", "CVE-2026-34786: the rules of Static see the path before it is decoded", "static.TestFallThrough//static/%2eenv"},
	{"Rack", "CVE-2025-27610: without a root Static serves the working directory", "static.TestConfigPanics/nothing"},
	{"Rack", "CVE-2026-22860: Directory compares the root without a boundary", "static.TestTraversal"},
	{"Rack", "CVE-2026-25500: Directory makes a script of the name of a file", "static.TestListing"},
	{"Werkzeug", "SharedData follows links out of the root", "static.TestLinks/swapped"},
	{"Werkzeug", "SharedData answers POST and DELETE", "static.TestFallThrough/DELETE"},
	{"Werkzeug", "SharedData sends a body to HEAD, and knows no ranges", "static.TestWholeFile"},
	{"Plack", "Static answers a POST that is the application's", "static.TestFallThrough/POST"},
	{"Plack", "App::File has no ETag", "static.TestConditions/same tag"},

	{"Rack", "CVE-2020-8184: a quoted name of a cookie passes for that of one with a prefix", "session.TestRefused"},

	{"Werkzeug", "the test client takes two calls of start_response", "wsgitest.TestAgreement"},
	{"net/http", "the recorder of httptest is kinder than a server", "wsgitest.TestAgreement"},
	{"all", "no lint refuses hop-by-hop headers", "conformance.TestMutants"},
	{"Werkzeug", "LintMiddleware takes the length of HEAD for wrong, and wants one on 204", "conformance.TestGood"},
	{"Plack", "the test of the lint is passed by one that rejects everything", "conformance.TestMutants"},
}

// folders are where the tests of a package are.
var folders = map[string]string{
	"middleware": ".", "static": "static", "session": "session", "wsgitest": "../wsgi/wsgitest", "conformance": "../conformance",
}

// advisory is the name of one.
var advisory = regexp.MustCompile(`CVE-\d{4}-\d+`)

// TestAudit checks that the tests of the table exist, with their cases, and that an
// advisory that a test here is about is in the table.
func TestAudit(t *testing.T) {
	tests, listed := audit.Tests{Folders: folders}, map[string]bool{}
	for _, f := range faults {
		tests.Check(t, f.whose+", "+f.fault, f.test)
		for _, id := range advisory.FindAllString(f.fault, -1) {
			listed[id] = true
		}
	}
	for _, dir := range families {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range advisory.FindAllString(string(source), -1) {
				if !listed[id] {
					t.Errorf("%s is about %s, which is not in the table", file, id)
				}
			}
		}
	}
}
