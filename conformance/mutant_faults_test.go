package conformance

import (
	"bytes"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverFaults are the faults of a mutantServer; the zero value has none.
type serverFaults struct {
	accepts []string // rules of a head that start_response does not enforce

	touchesApp, retries, sharesEnviron, readsEnvironLate, judgesEarly, liveCallables bool // the call

	appends, lateIsFine, lateIsSent, otherError, twiceIsFine, onlyTwoCalls, excFirstFails bool // start_response
	checksFirst, sendsAtOnce, nilWrite, writeKeepsHead, startBeforeEmpty, caseMatters     bool

	sendsUnstarted, endsUnstarted, nilIsEmpty, forgets, yieldsOn, goesOn, ignoresGone bool // the body
	emptyCommits, fewEmptiesCommit, emptyChunk, manyEmptiesEnd, spoilsBlocks          bool
	usesWriterTo, trustsAnyLen, believesLen, sendsExcess, lenAfterWrite               bool

	emptyWriteHolds, writeNeverFull, writeIgnoresGone, writeCountsNothing, writeOnlyCut bool // write

	headBody, headFile, body204, codesBelow600, chunkedOld, chunks204, noDate, ownDate bool // the wire
	shortStaysOpen, endsCleanly, losesPipelined, leavesInput, mixesQueries             bool
	flushesLate                                                                        func(*mutantExchange) bool
	spoilHead                                                                          func(*mutantExchange, *wsgi.Headers)
	spoilBody                                                                          func([]byte) []byte

	noClose                                              func(*mutantExchange) bool // Close
	closesTwice, closesFirst, closesEarly, iteratesAgain bool

	oddPanicDrops, showsErrors, leaksHead, failsAfterFailures bool // errors

	spoil func(environ map[string]any, q *mutantRequest) // the environ

	losesInput, rawChunks, readsOn, hangsWithoutBody, cleanCut, neverContinues, continues10, continuesLate            bool // input
	readsBuffered, takesPlus, queues, loseBuffer, endChanges, oddRead, ignoresSize, dropsNewline, joinsLines, oneLine bool
	flushFails, asciiErrors                                                                                           bool

	asksForWrapper, fileFromStart, sendsWrapped, emptyWrapper, leavesFileOpen bool // files
}

// serverMutant is a server with one fault. It must be caught by rule; also
// lists the rules that cannot be kept when this one is broken.
type serverMutant struct {
	rule   string
	name   string
	also   string
	faults serverFaults
}

// set returns a change of the environ: names and values in turn, nil to leave
// a variable out.
func set(list ...any) serverFaults {
	return serverFaults{spoil: func(e map[string]any, _ *mutantRequest) {
		for i := 0; i < len(list); i += 2 {
			if e[list[i].(string)] = list[i+1]; list[i+1] == nil {
				delete(e, list[i].(string))
			}
		}
	}}
}

// edit returns a change of one variable where it is present.
func edit(key string, change func(string) string) serverFaults {
	return serverFaults{spoil: func(e map[string]any, _ *mutantRequest) {
		if value, ok := e[key].(string); ok {
			e[key] = change(value)
		}
	}}
}

func spoil(f func(e map[string]any, q *mutantRequest)) serverFaults { return serverFaults{spoil: f} }

var serverMutants = slices.Concat(callMutants, wireMutants, closeMutants, environMutants, inputMutants)

var callMutants = []serverMutant{
	{"CALL-01", "looks at the application's type", "", serverFaults{touchesApp: true}},
	{"APP-04", "judges when Call returns", "START-06", serverFaults{judgesEarly: true}},
	{"SRV-01", "tries again after an error", "", serverFaults{retries: true}},
	{"SRV-02", "keeps changes of the environ", "ENV-03 ENV-05", serverFaults{sharesEnviron: true}},
	{"SRV-06", "sends a body without start_response", "", serverFaults{sendsUnstarted: true}},
	{"SRV-07", "ends well without start_response", "", serverFaults{endsUnstarted: true}},
	{"SRV-10", "leaves the callables alive", "", serverFaults{liveCallables: true}},
	{"SRV-12", "looks for the method after the call", "", serverFaults{readsEnvironLate: true}},
	{"START-02", "returns no write", "SRV-10 LEN-04 WRITE-12 WRITE-03 WRITE-03 WRITE-10 WRITE-11 WRITE-04 HTTP-15 BUF-06", serverFaults{nilWrite: true}},
	{"START-06", "wants start_response before an empty block", "", serverFaults{startBeforeEmpty: true}},
	{"START-07", "sends the head from start_response", "SRV-04 START-06 START-08 START-09 START-13 START-13 START-19 START-20 START-28 SRV-12 ERR-10 ERR-16 ERR-13 BODY-03 LEN-14 HTTP-19 BODY-01 BODY-09 BODY-13 WRITE-10 BODY-23", serverFaults{sendsAtOnce: true}},
	{"START-08", "sends the head with an empty block", "START-09", serverFaults{emptyCommits: true}},
	{"START-09", "sends the head after three empty blocks", "", serverFaults{fewEmptiesCommit: true}},
	{"START-13", "adds headers in the place of replacing", "START-28", serverFaults{appends: true}},
	{"START-14", "takes exc_info when it is too late", "WRITE-10", serverFaults{lateIsFine: true}},
	{"START-15", "answers with an error of its own", "", serverFaults{otherError: true}},
	{"START-26", "sends the late status", "ERR-16", serverFaults{lateIsSent: true}},
	{"START-13", "takes two calls at most", "START-20", serverFaults{onlyTwoCalls: true}},
	{"START-19", "takes a second call", "START-20", serverFaults{twiceIsFine: true}},
	{"START-20", "forgets a call that it refused", "", serverFaults{checksFirst: true}},
	{"START-24", "refuses exc_info at the first call", "", serverFaults{excFirstFails: true}},
	{"START-28", "gives each write its own head", "", serverFaults{writeKeepsHead: true}},
	{"START-22", "takes any status", "", serverFaults{accepts: []string{"HDR-01", "HDR-02", "HDR-03", "HDR-05"}}},
	{"START-22", "takes any name", "", serverFaults{accepts: []string{"HDR-09", "HDR-10"}}},
	{"START-22", "takes any value", "", serverFaults{accepts: []string{"HDR-11"}}},
	{"START-22", "takes line ends in a status", "", serverFaults{accepts: []string{"HDR-04"}}},
	{"HDR-15", "takes hop-by-hop headers", "", serverFaults{accepts: []string{"HDR-13"}}},
	{"START-22", "takes an interim status", "", serverFaults{accepts: []string{"HDR-23"}}},
	{"LEN-10", "takes any Content-Length", "", serverFaults{accepts: []string{"LEN-10"}}},
	{"LEN-11", "takes two Content-Lengths", "", serverFaults{accepts: []string{"LEN-11"}}},
	{"ERR-16", "forgets what it refused", "", serverFaults{forgets: true}},
}

func header(f func(x *mutantExchange, h *wsgi.Headers)) serverFaults {
	return serverFaults{spoilHead: f}
}

var wireMutants = []serverMutant{
	{"SRV-04", "loses the headers of an empty body", "", header(func(x *mutantExchange, h *wsgi.Headers) { h.Del("X-Probe") })},
	{"HDR-12", "knows one spelling of Content-Length", "LEN-11", serverFaults{caseMatters: true}},
	{"HDR-16", "sends no Date", "", serverFaults{noDate: true}},
	{"HDR-17", "sends a Date of its own", "", serverFaults{ownDate: true}},
	{"HDR-18", "sends the last of repeated headers", "", header(func(_ *mutantExchange, h *wsgi.Headers) {
		if all := h.Values("Set-Cookie"); len(all) > 0 {
			h.Set("Set-Cookie", all[len(all)-1])
		}
	})},
	{"HDR-21", "guesses the Content-Type", "", header(func(_ *mutantExchange, h *wsgi.Headers) { h.SetDefault("Content-Type", "text/html") })},
	{"HDR-25", "encodes values as UTF-8", "", header(func(_ *mutantExchange, h *wsgi.Headers) {
		if h.Has("X-Latin") {
			h.Set("X-Latin", strings.ToValidUTF8(h.Get("X-Latin"), "\u00e9"))
		}
	})},
	{"HTTP-01", "adds Cache-Control", "", header(func(_ *mutantExchange, h *wsgi.Headers) { h.Add("Cache-Control", "no-cache") })},
	{"HTTP-02", "knows codes up to 599", "", serverFaults{codesBelow600: true}},
	{"LEN-01", "sends more than the Content-Length", "LEN-02 BODY-11", serverFaults{sendsExcess: true}},
	{"LEN-02", "goes on after the Content-Length", "", serverFaults{goesOn: true}},
	{"LEN-03", "takes any number of bytes in write", "", serverFaults{writeNeverFull: true}},
	{"LEN-04", "waits for the missing bytes", "", serverFaults{shortStaysOpen: true}},
	{"BODY-03", "takes any Len for one block", "", serverFaults{trustsAnyLen: true}},
	{"LEN-08", "announces chunks for 204", "", serverFaults{chunks204: true}},
	{"LEN-13", "invents a length", "", header(func(x *mutantExchange, h *wsgi.Headers) {
		if x.bodiless() && x.code() != "304" {
			h.SetDefault("Content-Length", "0")
		}
	})},
	{"LEN-14", "believes Len", "", serverFaults{believesLen: true}},
	{"LEN-15", "sends an empty chunk", "", serverFaults{emptyChunk: true}},
	{"HTTP-15", "sends a body with HEAD", "SRV-01 SRV-12 BODY-11 BODY-13 FILE-16 HTTP-19", serverFaults{headBody: true}},
	{"HTTP-16", "sends a body with 204", "LEN-13", serverFaults{body204: true}},
	{"HTTP-17", "sends chunks to HTTP/1.0", "", serverFaults{chunkedOld: true}},
	{"HTTP-19", "loses pipelined requests", "INPUT-17 INPUT-18", serverFaults{losesPipelined: true}},
	{"BODY-01", "takes a nil body for an empty one", "", serverFaults{nilIsEmpty: true}},
	{"BODY-05", "has a text layer", "", serverFaults{spoilBody: func(b []byte) []byte { return bytes.ReplaceAll(b, []byte{0xff}, []byte{'?'}) }}},
	{"BODY-17", "looks for WriterTo", "", serverFaults{usesWriterTo: true}},
	{"BODY-19", "iterates again after Close", "SRV-03 LEN-02", serverFaults{iteratesAgain: true}},
	{"BODY-21", "takes many empty blocks for the end", "", serverFaults{manyEmptiesEnd: true}},
	{"BODY-22", "changes blocks", "", serverFaults{spoilsBlocks: true}},
	{"BODY-23", "goes on after an error", "", serverFaults{yieldsOn: true}},
	{"WRITE-03", "counts what was written wrongly", "", serverFaults{writeCountsNothing: true}},
	{"WRITE-03", "wants blocks beside write", "", serverFaults{writeOnlyCut: true}},
	{"WRITE-10", "commits nothing with an empty write", "", serverFaults{emptyWriteHolds: true}},
	{"WRITE-12", "states the length of the block after write", "WRITE-10 WRITE-04 WRITE-11 LEN-03", serverFaults{lenAfterWrite: true}},
	{"BUF-01", "holds blocks back", "INPUT-19 EXP-06 BODY-10 BUF-06", serverFaults{flushesLate: func(x *mutantExchange) bool { return x.chunked && !x.wrote && x.sent > 0 }}},
	{"BODY-03", "holds blocks with a length back", "EXP-06 BODY-14", serverFaults{flushesLate: func(x *mutantExchange) bool { return !x.chunked && x.length > 0 && x.sent > 0 }}},
	{"WRITE-04", "holds what was written back", "WRITE-11", serverFaults{flushesLate: func(x *mutantExchange) bool { return x.wrote && x.sent > 0 }}},
	{"ERR-10", "sends stored headers with its 500", "", serverFaults{leaksHead: true}},
	{"ERR-11", "ends a failed response cleanly", "START-26 ERR-13 ERR-16", serverFaults{endsCleanly: true}},
	{"ERR-12", "falters after many failures", "", serverFaults{failsAfterFailures: true}},
	{"ERR-13", "drops the connection on odd panics", "", serverFaults{oddPanicDrops: true}},
	{"ERR-14", "shows errors", "", serverFaults{showsErrors: true}},
	{"THR-02", "mixes requests", "", serverFaults{mixesQueries: true}},
}

var closeMutants = []serverMutant{
	{"BODY-08", "does not close after success", "SRV-03 SRV-10 LEN-02 BODY-19 BODY-11 BODY-13 ERR-13 FILE-08", serverFaults{noClose: func(x *mutantExchange) bool { return x.failure == nil && x.gone == nil }}},
	{"BODY-09", "does not close after an error", "BODY-13", serverFaults{noClose: func(x *mutantExchange) bool { return x.failure != nil }}},
	{"BODY-10", "does not close when the client left", "", serverFaults{noClose: func(x *mutantExchange) bool { return x.gone != nil }}},
	{"WRITE-11", "does not tell write that the client left", "", serverFaults{writeIgnoresGone: true}},
	{"BODY-10", "iterates for nobody", "BUF-06", serverFaults{ignoresGone: true}},
	{"BODY-11", "closes twice", "", serverFaults{closesTwice: true}},
	{"BODY-13", "does not close on HEAD", "BODY-11", serverFaults{noClose: func(x *mutantExchange) bool { return x.request.method == "HEAD" }}},
	{"SRV-03", "closes after the first block", "BODY-10 BODY-14 FILE-11 FILE-12", serverFaults{closesEarly: true}},
	{"BODY-14", "closes before the end", "", serverFaults{closesFirst: true}},
}

var environMutants = []serverMutant{
	{"ENV-03", "no wsgi.multiprocess", "ENV-20", set("wsgi.multiprocess", nil)},
	{"ENV-05", "upper case in an extension", "", set("Mutant.Name", true)},
	{"ENV-07", "REMOTE_PORT as a number", "", set("REMOTE_PORT", 80)},
	{"ENV-08", "REMOTE_USER without a user", "", set("REMOTE_USER", "")},
	{"ENV-09", "no REMOTE_ADDR", "", set("REMOTE_ADDR", nil)},
	{"ENV-14", "version as a string", "", set("wsgi.version", "1.0")},
	{"ENV-15", "any scheme but http", "", set("wsgi.url_scheme", "https")},
	{"COM-17", "believes X-Forwarded-Proto", "", spoil(func(e map[string]any, _ *mutantRequest) {
		if proto, ok := e["HTTP_X_FORWARDED_PROTO"]; ok {
			e["wsgi.url_scheme"] = proto
		}
	})},
	{"ENV-16", "input of another type", "INPUT-01 INPUT-02 INPUT-03 INPUT-04 INPUT-05 INPUT-07 INPUT-11 INPUT-17 INPUT-19 INPUT-21 HTTP-07 EXP-01 EXP-06 THR-02", set("wsgi.input", 1)},
	{"ENV-17", "errors of another type", "", set("wsgi.errors", 1)},
	{"ENV-18", "denies its threads", "", set("wsgi.multithread", false)},
	{"ENV-20", "claims to run once", "", set("wsgi.run_once", true)},
	{"CGI-01", "no such method", "CGI-30", edit("REQUEST_METHOD", func(m string) string { return strings.NewReplacer("DELETE", "GET").Replace(m) })},
	{"CGI-30", "methods in upper case", "", edit("REQUEST_METHOD", strings.ToUpper)},
	{"CGI-10", "invents CONTENT_TYPE", "", spoil(func(e map[string]any, _ *mutantRequest) {
		if e["CONTENT_TYPE"] == nil {
			e["CONTENT_TYPE"] = "text/plain"
		}
	})},
	{"CGI-10", "invents CONTENT_LENGTH", "", spoil(func(e map[string]any, _ *mutantRequest) {
		if e["CONTENT_LENGTH"] == nil {
			e["CONTENT_LENGTH"] = "0"
		}
	})},
	{"CGI-07", "SERVER_NAME from Host", "", spoil(func(e map[string]any, q *mutantRequest) { e["SERVER_NAME"] = q.fields.Get("Host") })},
	{"CGI-22", "SERVER_PORT by name", "", set("SERVER_PORT", "http")},
	{"CGI-09", "one protocol for all", "", set("SERVER_PROTOCOL", "HTTP/1.1")},
	{"CGI-10", "invents a header", "", set("HTTP_CACHE_CONTROL", "no-cache")},
	{"CGI-11", "keeps the case of names", "CGI-10", spoil(func(e map[string]any, q *mutantRequest) {
		for _, h := range q.fields {
			if strings.HasPrefix(h.Name, "x-") {
				delete(e, "HTTP_"+strings.ReplaceAll(strings.ToUpper(h.Name), "-", "_"))
				e["HTTP_"+strings.ReplaceAll(h.Name, "-", "_")] = h.Value
			}
		}
	})},
	{"CGI-12", "HTTP_CONTENT_TYPE", "", spoil(func(e map[string]any, _ *mutantRequest) {
		if t, ok := e["CONTENT_TYPE"]; ok {
			e["HTTP_CONTENT_TYPE"] = t
		}
	})},
	{"CGI-23", "joins cookies by comma", "", edit("HTTP_COOKIE", func(v string) string { return strings.ReplaceAll(v, "; ", ", ") })},
	{"CGI-24", "merges underscores", "", spoil(func(e map[string]any, q *mutantRequest) {
		if forged := q.fields.Get("X_Under"); forged != "" {
			e["HTTP_X_UNDER"] = forged
		}
	})},
	{"CGI-25", "passes Proxy", "", spoil(func(e map[string]any, q *mutantRequest) {
		if q.fields.Has("Proxy") {
			e["HTTP_PROXY"] = q.fields.Get("Proxy")
		}
	})},
	{"CGI-26", "drops empty values", "", spoil(func(e map[string]any, q *mutantRequest) {
		if e["HTTP_X_EMPTY"] == "" {
			delete(e, "HTTP_X_EMPTY")
		}
	})},
	{"CGI-27", "cuts long values", "", edit("HTTP_X_LONG", func(v string) string { return v[:100] })},
	{"CGI-33", "keeps Authorization", "", set("HTTP_AUTHORIZATION", nil)},
	{"CGI-34", "COOKIE without prefix", "", spoil(func(e map[string]any, _ *mutantRequest) {
		if v, ok := e["HTTP_COOKIE"]; ok {
			e["COOKIE"] = v
		}
	})},
	{"CGI-02", "a slash for the root", "CGI-17 CGI-19 CGI-20 CGI-28 CGI-31 STR-06", set("SCRIPT_NAME", "/")},
	{"CGI-13", "a path without its slash", "CGI-17 CGI-19 CGI-20 CGI-28 CGI-31 STR-06", edit("PATH_INFO", func(p string) string {
		if strings.HasPrefix(p, "/probe") {
			return p[1:]
		}
		return p
	})},
	{"CGI-17", "decodes twice", "", edit("PATH_INFO", func(p string) string { return strings.ReplaceAll(p, "%2c", ",") })},
	{"CGI-18", "decodes the query", "", edit("QUERY_STRING", func(q string) string { return strings.ReplaceAll(q, "%20", " ") })},
	{"CGI-18", "a question mark in the query", "CGI-28 HTTP-19 THR-02 STR-06", edit("QUERY_STRING", func(q string) string { return "?" + q })},
	{"CGI-19", "collapses slashes", "", edit("PATH_INFO", func(p string) string { return strings.ReplaceAll(p, "//", "/") })},
	{"CGI-20", "loses the last slash", "CGI-19", edit("PATH_INFO", func(p string) string { return strings.TrimSuffix(p, "/") })},
	{"CGI-28", "keeps the whole target", "", spoil(func(e map[string]any, q *mutantRequest) {
		if strings.HasPrefix(q.target, "http://") {
			e["PATH_INFO"] = q.target
		}
	})},
	{"CGI-29", "believes the Host header", "", spoil(func(e map[string]any, q *mutantRequest) {
		if q.fields.Has("Host") {
			e["HTTP_HOST"] = q.fields.Get("Host")
		}
	})},
	{"STR-06", "encodes the query", "", edit("QUERY_STRING", func(q string) string { return strings.ReplaceAll(q, "\xe9", "\u00e9") })},
}

var inputMutants = []serverMutant{
	{"INPUT-01", "spoils what is read", "INPUT-05 INPUT-07 INPUT-17 INPUT-19 HTTP-07 EXP-01 THR-02", serverFaults{oddRead: true}},
	{"INPUT-02", "drops newlines", "INPUT-05 INPUT-07 INPUT-11", serverFaults{dropsNewline: true}},
	{"INPUT-03", "joins lines", "", serverFaults{joinsLines: true}},
	{"INPUT-04", "iterates over one line", "INPUT-07", serverFaults{oneLine: true}},
	{"INPUT-05", "reads past its own buffer", "INPUT-10", serverFaults{loseBuffer: true}},
	{"INPUT-07", "reads past the end", "INPUT-01 INPUT-02 INPUT-03 INPUT-04 INPUT-05 INPUT-10 INPUT-11 INPUT-17 INPUT-18 INPUT-19 INPUT-20 INPUT-21 EXP-01 EXP-05 EXP-06 HTTP-19 THR-02 CGI-21 CGI-27 CGI-10 CGI-12 ENV-07", serverFaults{readsOn: true}},
	{"INPUT-17", "reads what is pipelined", "INPUT-18 HTTP-19", serverFaults{readsBuffered: true}},
	{"CGI-21", "takes a sign in Content-Length", "", serverFaults{takesPlus: true}},
	{"BUF-06", "takes everything at once", "BODY-10 WRITE-11", serverFaults{queues: true}},
	{"INPUT-10", "fails behind the end", "", serverFaults{endChanges: true}},
	{"INPUT-11", "ignores the size", "", serverFaults{ignoresSize: true}},
	{"INPUT-18", "leaves the body on the connection", "HTTP-19 INPUT-01 INPUT-11 INPUT-17 CGI-27 CGI-10", serverFaults{leavesInput: true}},
	{"INPUT-19", "drops the body with the head", "", serverFaults{losesInput: true}},
	{"INPUT-20", "waits for a body that is none", "", serverFaults{hangsWithoutBody: true}},
	{"INPUT-21", "takes a cut for the end", "", serverFaults{cleanCut: true}},
	{"HTTP-07", "passes chunks on", "", serverFaults{rawChunks: true}},
	{"LOG-02", "cannot flush", "LOG-05", serverFaults{flushFails: true}},
	{"LOG-05", "takes ASCII", "", serverFaults{asciiErrors: true}},
	{"EXP-01", "never says 100", "", serverFaults{neverContinues: true}},
	{"EXP-05", "says 100 to HTTP/1.0", "", serverFaults{continues10: true}},
	{"EXP-06", "says 100 in the middle", "", serverFaults{continuesLate: true}},
	{"FILE-05", "a wrapper without blocks", "FILE-08", serverFaults{emptyWrapper: true}},
	{"FILE-06", "sends what is wrapped", "FILE-05 FILE-12", serverFaults{sendsWrapped: true}},
	{"FILE-08", "leaves files open", "", serverFaults{leavesFileOpen: true}},
	{"FILE-11", "sends files from the start", "", serverFaults{fileFromStart: true}},
	{"FILE-12", "asks the environ for the wrapper", "", serverFaults{asksForWrapper: true}},
	{"FILE-16", "sends a file with HEAD", "", serverFaults{headFile: true}},
}
