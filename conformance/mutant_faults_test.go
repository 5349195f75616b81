package conformance

import (
	"bytes"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverFaults are the faults of a mutantServer; the zero value has none.
type serverFaults struct {
	mode mutantMode

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
	flushFails, mute, noLines, asciiErrors                                                                            bool

	textLines, losesLastLine, keepsHeaders, addsNewlines, endsAtEmpty, closesForLeaver bool

	silentErrors, logsLeavers, joinsLogLines, tearsLines, spreadsFailures, keepsExcInfo bool // the log, and what is kept

	writesLate, dropsAfterWrite, collects, trustsFd, dropsFragment bool

	asksForWrapper, fileFromStart, sendsWrapped, emptyWrapper, leavesFileOpen bool // files
}

// serverMutant is a server with one fault. It must be caught by rule.
type serverMutant struct {
	rule   string
	name   string
	also   overlap
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
	{"CALL-01", "looks at the application's type", none, serverFaults{touchesApp: true}},
	{"APP-04", "judges when Call returns", overlap{"START-06", "a class starts its response when it is iterated"}, serverFaults{judgesEarly: true}},
	{"SRV-01", "tries again after an error", none, serverFaults{retries: true}},
	{"SRV-02", "keeps changes of the environ", none, serverFaults{sharesEnviron: true}},
	{"SRV-06", "sends a body without start_response", none, serverFaults{sendsUnstarted: true}},
	{"SRV-07", "ends well without start_response", none, serverFaults{endsUnstarted: true}},
	{"SRV-10", "leaves the callables alive", none, serverFaults{liveCallables: true}},
	{"SRV-12", "looks for the method after the call", none, serverFaults{readsEnvironLate: true}},
	{"START-02", "returns no write", none, serverFaults{nilWrite: true}},
	{"START-06", "wants start_response before an empty block", none, serverFaults{startBeforeEmpty: true}},
	{"START-07", "sends the head from start_response", overlap{"START-08 START-09 START-13 START-19 START-28 ERR-10 ERR-16 ERR-13 BODY-01 BODY-13", "a head that is out can neither be replaced nor become a 500"}, serverFaults{sendsAtOnce: true}},
	{"START-08", "sends the head with an empty block", overlap{"START-09 START-13 ERR-10", "START-09 is several such blocks, and a head that is out cannot be replaced"}, serverFaults{emptyCommits: true}},
	{"START-09", "sends the head after three empty blocks", none, serverFaults{fewEmptiesCommit: true}},
	{"START-13", "adds headers in the place of replacing", none, serverFaults{appends: true}},
	{"START-14", "takes exc_info when it is too late", none, serverFaults{lateIsFine: true}},
	{"START-15", "answers with an error of its own", none, serverFaults{otherError: true}},
	{"START-26", "sends the late status", none, serverFaults{lateIsSent: true}},
	{"START-13", "takes two calls at most", none, serverFaults{onlyTwoCalls: true}},
	{"START-19", "takes a second call", none, serverFaults{twiceIsFine: true}},
	{"START-20", "forgets a call that it refused", none, serverFaults{checksFirst: true}},
	{"START-24", "refuses exc_info at the first call", none, serverFaults{excFirstFails: true}},
	{"START-28", "gives each write its own head", none, serverFaults{writeKeepsHead: true}},
	{"START-22", "takes any status", none, serverFaults{accepts: []string{"HDR-01", "HDR-02", "HDR-03", "HDR-05"}}},
	{"START-22", "takes any name", none, serverFaults{accepts: []string{"HDR-09", "HDR-10"}}},
	{"START-22", "takes any value", none, serverFaults{accepts: []string{"HDR-11"}}},
	{"START-22", "takes line ends in a status", none, serverFaults{accepts: []string{"HDR-04"}}},
	{"HDR-15", "takes hop-by-hop headers", none, serverFaults{accepts: []string{"HDR-13"}}},
	{"START-22", "takes an interim status", none, serverFaults{accepts: []string{"HDR-23"}}},
	{"LEN-10", "takes any Content-Length", none, serverFaults{accepts: []string{"LEN-10"}}},
	{"LEN-11", "takes two Content-Lengths", none, serverFaults{accepts: []string{"LEN-11"}}},
	{"ERR-16", "forgets what it refused", none, serverFaults{forgets: true}},
}

func header(f func(x *mutantExchange, h *wsgi.Headers)) serverFaults {
	return serverFaults{spoilHead: f}
}

var wireMutants = []serverMutant{
	{"SRV-04", "loses the headers of an empty body", none, header(func(x *mutantExchange, h *wsgi.Headers) { h.Del("X-Probe") })},
	{"HDR-12", "knows one spelling of Content-Length", none, serverFaults{caseMatters: true}},
	{"HDR-16", "sends no Date", none, serverFaults{noDate: true}},
	{"HDR-17", "sends a Date of its own", none, serverFaults{ownDate: true}},
	{"HDR-18", "sends the last of repeated headers", none, header(func(_ *mutantExchange, h *wsgi.Headers) {
		if all := h.Values("Set-Cookie"); len(all) > 0 {
			h.Set("Set-Cookie", all[len(all)-1])
		}
	})},
	{"HDR-18", "sorts headers", none, header(func(_ *mutantExchange, h *wsgi.Headers) {
		slices.SortStableFunc(*h, func(a, b wsgi.Header) int { return strings.Compare(a.Name+a.Value, b.Name+b.Value) })
	})},
	{"HDR-21", "guesses the Content-Type", none, header(func(_ *mutantExchange, h *wsgi.Headers) { h.SetDefault("Content-Type", "text/html") })},
	{"HDR-25", "encodes values as UTF-8", none, header(func(_ *mutantExchange, h *wsgi.Headers) {
		if h.Has("X-Latin") {
			h.Set("X-Latin", strings.ToValidUTF8(h.Get("X-Latin"), "\u00e9"))
		}
	})},
	{"HTTP-01", "adds Cache-Control", none, header(func(_ *mutantExchange, h *wsgi.Headers) { h.Add("Cache-Control", "no-cache") })},
	{"HTTP-02", "knows codes up to 599", none, serverFaults{codesBelow600: true}},
	{"LEN-01", "sends more than the Content-Length", none, serverFaults{sendsExcess: true}},
	{"LEN-02", "goes on after the Content-Length", none, serverFaults{goesOn: true}},
	{"LEN-03", "takes any number of bytes in write", none, serverFaults{writeNeverFull: true}},
	{"LEN-04", "waits for the missing bytes", none, serverFaults{shortStaysOpen: true}},
	{"BODY-03", "takes any Len for one block", none, serverFaults{trustsAnyLen: true}},
	{"LEN-08", "announces chunks for 204", none, serverFaults{chunks204: true}},
	{"LEN-13", "invents a length", none, header(func(x *mutantExchange, h *wsgi.Headers) {
		if x.bodiless() && x.code() != "304" {
			h.SetDefault("Content-Length", "0")
		}
	})},
	{"LEN-14", "believes Len", none, serverFaults{believesLen: true}},
	{"LEN-15", "sends an empty chunk", none, serverFaults{emptyChunk: true}},
	{"HTTP-15", "sends a body with HEAD", none, serverFaults{headBody: true}},
	{"HTTP-16", "sends a body with 204", none, serverFaults{body204: true}},
	{"HTTP-17", "sends chunks to HTTP/1.0", none, serverFaults{chunkedOld: true}},
	{"HTTP-19", "loses pipelined requests", none, serverFaults{losesPipelined: true}},
	{"BODY-01", "takes a nil body for an empty one", none, serverFaults{nilIsEmpty: true}},
	{"BODY-05", "has a text layer", none, serverFaults{spoilBody: func(b []byte) []byte { return bytes.ReplaceAll(b, []byte{0xff}, []byte{'?'}) }}},
	{"BODY-17", "looks for WriterTo", none, serverFaults{usesWriterTo: true}},
	{"BODY-19", "iterates again after Close", overlap{"SRV-03", "what is iterated after Close comes after Close"}, serverFaults{iteratesAgain: true}},
	{"BODY-21", "takes an empty block behind a full one for the end", none, serverFaults{endsAtEmpty: true}},
	{"BODY-21", "takes many empty blocks for the end", none, serverFaults{manyEmptiesEnd: true}},
	{"BODY-22", "changes blocks", none, serverFaults{spoilsBlocks: true}},
	{"BODY-23", "goes on after an error", none, serverFaults{yieldsOn: true}},
	{"WRITE-03", "counts what was written wrongly", none, serverFaults{writeCountsNothing: true}},
	{"WRITE-03", "wants blocks beside write", none, serverFaults{writeOnlyCut: true}},
	{"WRITE-07", "takes no further blocks beside write", none, serverFaults{dropsAfterWrite: true}},
	{"WRITE-09", "sends what is written second later", overlap{"WRITE-04", "what is sent later was not sent when write returned"}, serverFaults{writesLate: true}},
	{"BODY-25", "collects blocks of a middling size", none, serverFaults{collects: true}},
	{"WRITE-10", "commits nothing with an empty write", none, serverFaults{emptyWriteHolds: true}},
	{"WRITE-12", "states the length of the block after write", none, serverFaults{lenAfterWrite: true}},
	{"BUF-01", "holds blocks back", none, serverFaults{flushesLate: func(x *mutantExchange) bool { return x.chunked && !x.wrote && x.sent > 0 && x.sent < 4096 }}},
	{"BODY-03", "holds blocks with a length back", none, serverFaults{flushesLate: func(x *mutantExchange) bool { return !x.chunked && x.length > 0 && x.sent > 0 }}},
	{"WRITE-04", "holds what was written back", none, serverFaults{flushesLate: func(x *mutantExchange) bool { return x.wrote && x.sent > 0 && x.sent < 4096 }}},
	{"ERR-10", "sends stored headers with its 500", none, serverFaults{leaksHead: true}},
	{"ERR-11", "ends a failed response cleanly", none, serverFaults{endsCleanly: true}},
	{"SRV-08", "fails all requests that are under way", none, serverFaults{spreadsFailures: true}},
	{"START-21", "keeps exc_info", none, serverFaults{keepsExcInfo: true}},
	{"LOG-13", "writes lines in parts", none, serverFaults{tearsLines: true}},
	{"LOG-15", "makes one line of several", none, serverFaults{joinsLogLines: true}},
	{"ERR-07", "logs no errors", overlap{"BODY-14", "an error of Close is one of them"}, serverFaults{silentErrors: true}},
	{"ERR-15", "logs a stack trace when a client leaves", none, serverFaults{logsLeavers: true}},
	{"ERR-12", "falters after many failures", none, serverFaults{failsAfterFailures: true}},
	{"ERR-13", "drops the connection on odd panics", none, serverFaults{oddPanicDrops: true}},
	{"ERR-14", "shows errors", none, serverFaults{showsErrors: true}},
	{"THR-02", "mixes requests", none, serverFaults{mixesQueries: true}},
}

var closeMutants = []serverMutant{
	{"BODY-08", "does not close after success", none, serverFaults{noClose: func(x *mutantExchange) bool {
		return x.whole && x.request.method != "HEAD" && !x.isFile
	}}},
	{"BODY-09", "does not close after an error", none, serverFaults{noClose: func(x *mutantExchange) bool { return x.failure != nil && x.yielded > 0 }}},
	{"BODY-10", "does not close when the client left", none, serverFaults{noClose: func(x *mutantExchange) bool { return x.gone != nil }}},
	{"WRITE-11", "does not tell write that the client left", none, serverFaults{writeIgnoresGone: true}},
	{"BODY-10", "iterates for nobody", none, serverFaults{ignoresGone: true}},
	{"BODY-11", "closes twice", none, serverFaults{closesTwice: true}},
	{"BODY-13", "does not close on HEAD", none, serverFaults{noClose: func(x *mutantExchange) bool { return x.request.method == "HEAD" }}},
	{"BODY-11", "closes again when the client left", none, serverFaults{closesForLeaver: true}},
	{"SRV-03", "closes after the first block", none, serverFaults{closesEarly: true}},
	{"BODY-14", "closes before the end", none, serverFaults{closesFirst: true}},
}

var inputMutants = []serverMutant{
	{"INPUT-01", "spoils what is read", none, serverFaults{oddRead: true}},
	{"INPUT-02", "drops newlines", none, serverFaults{dropsNewline: true}},
	{"INPUT-03", "joins lines", none, serverFaults{joinsLines: true}},
	{"INPUT-04", "iterates over one line", overlap{"INPUT-07", "the end is behind the last line"}, serverFaults{oneLine: true}},
	{"INPUT-04", "loses a last line without a newline", none, serverFaults{losesLastLine: true}},
	{"INPUT-05", "reads lines as of text", none, serverFaults{textLines: true}},
	{"CGI-10", "keeps the headers of the request before", none, serverFaults{keepsHeaders: true}},
	{"LOG-03", "adds newlines", none, serverFaults{addsNewlines: true}},
	{"INPUT-05", "reads past its own buffer", none, serverFaults{loseBuffer: true}},
	{"INPUT-07", "reads past the end", overlap{"INPUT-01 INPUT-02 INPUT-03 INPUT-04 INPUT-05 INPUT-11", "they look at the same body, and the rest of it is read before the next request"}, serverFaults{readsOn: true}},
	{"INPUT-17", "reads what is pipelined", none, serverFaults{readsBuffered: true}},
	{"CGI-21", "takes a sign in Content-Length", none, serverFaults{takesPlus: true}},
	{"BUF-06", "takes everything at once", none, serverFaults{queues: true}},
	{"INPUT-10", "fails behind the end", none, serverFaults{endChanges: true}},
	{"INPUT-11", "ignores the size", none, serverFaults{ignoresSize: true}},
	{"INPUT-18", "leaves the body on the connection", none, serverFaults{leavesInput: true}},
	{"INPUT-19", "drops the body with the head", none, serverFaults{losesInput: true}},
	{"INPUT-20", "waits for a body that is none", none, serverFaults{hangsWithoutBody: true}},
	{"INPUT-21", "takes a cut for the end", none, serverFaults{cleanCut: true}},
	{"HTTP-07", "passes chunks on", none, serverFaults{rawChunks: true}},
	{"LOG-01", "cannot flush", none, serverFaults{flushFails: true}},
	{"LOG-02", "takes no text", none, serverFaults{mute: true}},
	{"LOG-03", "takes no lines", none, serverFaults{noLines: true}},
	{"LOG-05", "takes ASCII", none, serverFaults{asciiErrors: true}},
	{"EXP-01", "never says 100", none, serverFaults{neverContinues: true}},
	{"EXP-05", "says 100 to HTTP/1.0", none, serverFaults{continues10: true}},
	{"EXP-06", "says 100 in the middle", none, serverFaults{continuesLate: true}},
	{"FILE-05", "a wrapper without blocks", none, serverFaults{emptyWrapper: true}},
	{"FILE-06", "sends what is wrapped", none, serverFaults{sendsWrapped: true}},
	{"FILE-08", "leaves files open", none, serverFaults{leavesFileOpen: true}},
	{"FILE-11", "sends files from the start", none, serverFaults{fileFromStart: true}},
	{"FILE-12", "asks the environ for the wrapper", none, serverFaults{asksForWrapper: true}},
	{"FILE-14", "trusts file descriptors", none, serverFaults{trustsFd: true}},
	{"FILE-16", "sends a file with HEAD", none, serverFaults{headFile: true}},
}
