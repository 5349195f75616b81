package adaptertest

import (
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/internal/audit"
)

// malformed are the ways in which what comes can be no good, with the answer that a
// robust listener gives and the tests that look for it. A test is named by its
// package; "every" are those of Behaviour, which each adapter runs, and "refused"
// the rows of Refused, which each adapter and the CGI server run. Where the answer
// is another than the one that would be expected, why says so.
var malformed = []struct {
	protocol, input, answer string
	tests                   []string
	why                     string
}{
	{protocol: "uwsgi", input: "another modifier than 0: a command to uWSGI, HTTP, TLS", answer: "close", tests: []string{
		"uwsgi.TestMalformed/HTTP", "uwsgi.TestMalformed/TLS", "uwsgi.TestMalformed/PSGI", "uwsgi.TestMalformed/ping", "uwsgi.TestMalformed/RPC"}},
	{protocol: "uwsgi", input: "variables of 0 to 3 bytes", answer: "close", tests: []string{
		"uwsgi.TestMalformed/no variables", "uwsgi.TestMalformed/three bytes"}},
	{protocol: "uwsgi", input: "variables of more bytes than the limit", answer: "close, before they are read", tests: []string{
		"uwsgi.TestMalformed/size over the limit", "every.limits"}},
	{protocol: "uwsgi", input: "an empty name, a length past the end, 1 to 3 bytes too many", answer: "400", tests: []string{
		"uwsgi.TestMalformed/empty name", "uwsgi.TestMalformed/name too long", "uwsgi.TestMalformed/value too long",
		"uwsgi.TestMalformed/one stray byte", "uwsgi.TestMalformed/two stray bytes", "uwsgi.TestMalformed/three stray bytes"}},
	{protocol: "uwsgi", input: "the end, or silence, within the head", answer: "close", tests: []string{
		"uwsgi.TestCaptures", "every.slow"}},
	{protocol: "uwsgi", input: "more than 1000 variables", answer: "431", tests: []string{"refused.1001 variables"}},

	{protocol: "SCGI", input: "no digit, more than 10, a zero before them, no colon", answer: "close", tests: []string{
		"scgi.TestMalformed/no digit", "scgi.TestMalformed/HTTP", "scgi.TestMalformed/TLS", "scgi.TestMalformed/11 digits",
		"scgi.TestMalformed/leading zero", "scgi.TestMalformed/no colon"}},
	{protocol: "SCGI", input: "a length beyond the limit", answer: "431", tests: []string{"scgi.TestMalformed/length over the limit", "every.limits"}},
	{protocol: "SCGI", input: "no NUL at the end, an odd number of fields, an empty name, no comma", answer: "400", tests: []string{
		"scgi.TestMalformed/no NUL at the end", "scgi.TestMalformed/odd fields", "scgi.TestMalformed/empty name", "scgi.TestMalformed/no comma",
		"scgi.TestMalformed/no block"}},
	{protocol: "SCGI", input: "CONTENT_LENGTH missing, not the first, or no number", answer: "400", tests: []string{
		"scgi.TestMalformed/CONTENT_LENGTH missing", "scgi.TestMalformed/CONTENT_LENGTH second", "scgi.TestMalformed/CONTENT_LENGTH empty"}},
	{protocol: "SCGI", input: "SCGI missing, or not 1", answer: "400", tests: []string{
		"scgi.TestMalformed/SCGI missing", "scgi.TestMalformed/SCGI 2"}},
	{protocol: "SCGI", input: "the end, or silence, within the head", answer: "close", tests: []string{"scgi.TestCaptures", "every.slow"}},

	{protocol: "FastCGI", input: "another version than 1", answer: "close", tests: []string{
		"fastcgi.TestMalformed/version 0", "fastcgi.TestMalformed/version 2", "fastcgi.TestMalformed/HTTP"}},
	{protocol: "FastCGI", input: "BEGIN_REQUEST of another length than 8", answer: "close", tests: []string{
		"fastcgi.TestMalformed/BEGIN of 7 bytes", "fastcgi.TestMalformed/BEGIN of 0 bytes"}},
	{protocol: "FastCGI", input: "BEGIN_REQUEST for an id in use", answer: "close", tests: []string{"fastcgi.TestIDInUse"}},
	{protocol: "FastCGI", input: "id 0 on a record of a request", answer: "close", tests: []string{
		"fastcgi.TestMalformed/BEGIN of id 0", "fastcgi.TestMalformed/ABORT of id 0", "fastcgi.TestMalformed/PARAMS of id 0",
		"fastcgi.TestMalformed/STDIN of id 0", "fastcgi.TestMalformed/DATA of id 0"}},
	{protocol: "FastCGI", input: "another role than Responder", answer: "END_REQUEST with UNKNOWN_ROLE; the connection stays", tests: []string{"fastcgi.TestRoles"}},
	{protocol: "FastCGI", input: "PARAMS, STDIN, DATA or ABORT of an id that is not there", answer: "ignored", tests: []string{
		"fastcgi.TestUnknownID", "fastcgi.TestUnreadBody"}},
	{protocol: "FastCGI", input: "more variables than the limit, in bytes or in number", answer: "431 and END_REQUEST, then close", tests: []string{
		"fastcgi.TestMalformed/PARAMS over the limit, kept", "fastcgi.TestMalformed/1001 variables, kept"}},
	{protocol: "FastCGI", input: "lengths of pairs that lie", answer: "400 and END_REQUEST", tests: []string{
		"fastcgi.TestMalformed/name ends early, kept", "fastcgi.TestMalformed/name ends early", "fastcgi.TestMalformed/value ends early",
		"fastcgi.TestMalformed/length ends early", "fastcgi.TestMalformed/lengths of 2^31-1", "fastcgi.TestLies"}},
	{protocol: "FastCGI", input: "STDIN before the end of PARAMS", answer: "400 and END_REQUEST", tests: []string{
		"fastcgi.TestMalformed/STDIN before the end of PARAMS", "fastcgi.TestMalformed/end of STDIN before that of PARAMS"}},
	{protocol: "FastCGI", input: "STDIN longer than CONTENT_LENGTH", answer: "what is too much is dropped", tests: []string{
		"fastcgi.TestStdinAndLength/longer", "every.surplus"}},
	{protocol: "FastCGI", input: "STDIN shorter than CONTENT_LENGTH", answer: "an error of the reader; 400 if the application has no other answer", tests: []string{
		"fastcgi.TestStdinAndLength/shorter"}},
	{protocol: "FastCGI", input: "padding of any length", answer: "skipped", tests: []string{"fastcgi.TestStraddledPairs"}},
	{protocol: "FastCGI", input: "a management record of an unknown type", answer: "UNKNOWN_TYPE", tests: []string{"fastcgi.TestManagement"}},
	{protocol: "FastCGI", input: "more requests at a time than there may be", answer: "END_REQUEST with CANT_MPX_CONN", tests: []string{"fastcgi.TestMultiplexingIsRefused"},
		why: "OVERLOADED is for a limit of many; here a connection carries one request, FCGI_MPXS_CONNS says so, and the specification has a status for it"},
	{protocol: "FastCGI", input: "records that bring no request further, without end", answer: "ignored, and after 1000 close", tests: []string{
		"fastcgi.TestRecordsInVainHaveAnEnd/empty STDIN", "fastcgi.TestRecordsInVainHaveAnEnd/empty PARAMS", "fastcgi.TestRecordsInVainHaveAnEnd/empty DATA",
		"fastcgi.TestRecordsInVainHaveAnEnd/a second request", "fastcgi.TestRecordsInVainHaveAnEnd/another role", "fastcgi.TestMalformed/1001 management records"}},
	{protocol: "FastCGI", input: "the end, or silence, within a record", answer: "close", tests: []string{"fastcgi.TestCaptures", "every.slow"}},

	{protocol: "CGI", input: "no REQUEST_METHOD", answer: "500, and the program fails", tests: []string{"cgi.TestServe/no method", "refused.no method"}},

	{protocol: "any", input: "a method that is no token", answer: "400", tests: []string{
		"refused.no method", "refused.empty method", "refused.method with a blank", "refused.method with a control character", "refused.method twice"}},
	{protocol: "any", input: "a protocol that is none", answer: "400", tests: []string{
		"refused.protocol that is none", "refused.protocol without version", "refused.protocol with half a version", "refused.protocol with more behind"}},
	{protocol: "any", input: "NUL, =, CR or LF in a name, or an empty one", answer: "400", tests: []string{
		"refused.NUL in a name", "refused.= in a name", "refused.CR in a name", "refused.LF in a name", "refused.empty name"}},
	{protocol: "any", input: "CR, LF or NUL in a header", answer: "400", tests: []string{
		"refused.CR in a header", "refused.LF in a header", "refused.NUL in a header"}},
	{protocol: "any", input: "CONTENT_LENGTH that is no number of at most 18 digits", answer: "400", tests: []string{
		"refused.CONTENT_LENGTH +5", "refused.CONTENT_LENGTH -1", "refused.CONTENT_LENGTH -2", "refused.CONTENT_LENGTH 5, 5", "refused.CONTENT_LENGTH 0x5",
		"refused.CONTENT_LENGTH 5 and a blank", "refused.CONTENT_LENGTH a blank and 5", "refused.CONTENT_LENGTH 5x", "refused.CONTENT_LENGTH 1e3",
		"refused.CONTENT_LENGTH in other digits", "refused.CONTENT_LENGTH 2^63", "refused.CONTENT_LENGTH 2^64+5"}},
	{protocol: "any", input: "CONTENT_LENGTH twice, or less than the client's", answer: "400", tests: []string{
		"refused.CONTENT_LENGTH twice", "refused.less than the client's length"}},
	{protocol: "any", input: "HTTP_HOST twice", answer: "400", tests: []string{"refused.two hosts"}},
	{protocol: "any", input: "a path that does not begin with a slash", answer: "400, but for the * of OPTIONS", tests: []string{
		"refused.path without slash", "refused.asterisk of GET", "refused.NUL in the path", "refused.script without slash"}},
	{protocol: "any", input: "bytes behind the declared body", answer: "ignored", tests: []string{"every.surplus"}},
	{protocol: "any", input: "a body that ends before its declared length", answer: "io.ErrUnexpectedEOF from wsgi.input", tests: []string{
		"every.cut body", "cgi.TestServe/body cut"}},
	{protocol: "any", input: "a declared length beyond the limit", answer: "413, and what was sent is read", tests: []string{
		"refused.body over the limit", "every.limits"}},
	{protocol: "any", input: "a peer that is not admitted", answer: "close", tests: []string{"every.peers"}},
}

// TestAudit checks that the tests of the table exist, that every row has one, and
// that none of Refused is in no row.
func TestAudit(t *testing.T) {
	adapters := audit.Tests{Folders: map[string]string{
		"uwsgi": "../../adapters/uwsgi", "scgi": "../../adapters/scgi", "fastcgi": "../../adapters/fastcgi", "cgi": "../../adapters/cgi",
	}}
	for _, name := range []string{"uwsgi.TestBehaviour", "scgi.TestBehaviour", "fastcgi.TestBehaviour", "cgi.TestRefused"} {
		adapters.Check(t, "the tests of every adapter", name)
	}
	every, listed := Subject{}.behaviours(), map[string]bool{}
	refused := map[string]bool{}
	for _, r := range Refused {
		refused[r.Name] = true
	}
	for _, row := range malformed {
		what := row.protocol + ", " + row.input
		if len(row.tests) == 0 || row.answer == "" {
			t.Errorf("%s: has the tests %q and the answer %q", what, row.tests, row.answer)
		}
		for _, name := range row.tests {
			switch where, one, _ := strings.Cut(name, "."); {
			case where == "every":
				if every[one] == nil {
					t.Errorf("%s: Behaviour has no test %q", what, one)
				}
			case where == "refused":
				if listed[one] = true; !refused[one] {
					t.Errorf("%s: Refused has no row %q", what, one)
				}
			default:
				adapters.Check(t, what, name)
			}
		}
	}
	for _, r := range Refused {
		if !listed[r.Name] {
			t.Errorf("%q is in no row", r.Name)
		}
	}
}
