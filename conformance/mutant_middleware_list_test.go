package conformance

import (
	"testing"
)

var middlewareMutants = []struct {
	rule, name string
	also       overlap
	faults     middlewareFaults
}{
	{"MW-02", "answers by itself", none, middlewareFaults{answersItself: true}},
	{"MW-04", "waits for all blocks", overlap{"MW-05 MW-06 BODY-23", "it yields nothing for a block, and cannot be stopped at one"}, middlewareFaults{waitsForAll: true}},
	{"MW-05", "drops empty blocks", none, middlewareFaults{dropsEmpty: true}},
	{"MW-06", "is one block behind", overlap{"MW-05", "an empty block is a block"}, middlewareFaults{holdsOne: true}},
	{"MW-07", "iterates before it returns", overlap{"MW-04 MW-05 MW-06 BODY-23", "the body is over before the server can ask, stop or send"}, middlewareFaults{peeks: true}},
	{"BODY-19", "iterates for a look, and then anew", overlap{"MW-14 MW-17", "what the look takes, of a file and of a class, does not come again"}, middlewareFaults{sniffs: true}},
	{"HDR-18", "joins repeated headers", none, middlewareFaults{joinsHeaders: true}},
	{"HDR-18", "sorts headers", none, middlewareFaults{sortsHeaders: true}},
	{"MW-08", "writes what is yielded", none, middlewareFaults{usesWrite: true}},
	{"MW-10", "never closes", none, middlewareFaults{neverCloses: true}},
	{"MW-10", "closes twice", none, middlewareFaults{closesTwice: true}},
	{"MW-10", "closes what was iterated", none, middlewareFaults{closesIterated: true}},
	{"BODY-23", "goes on when stopped", none, middlewareFaults{goesOn: true}},
	{"MW-11", "keeps the Content-Length", none, middlewareFaults{keepsLength: true}},
	{"MW-12", "keeps exc_info", overlap{"MW-13", "the response is not replaced"}, middlewareFaults{dropsExcInfo: true}},
	{"MW-12", "takes exc_info when it is too late", none, middlewareFaults{takesLate: true}},
	{"MW-13", "keeps the first headers", none, middlewareFaults{keepsFirst: true}},
	{"START-19", "takes a second call", none, middlewareFaults{takesSecond: true}},
	{"MW-14", "judges when Call returns", none, middlewareFaults{judgesEarly: true}},
	{"MW-14", "panics without start_response", none, middlewareFaults{panicsUnstarted: true}},
	{"MW-14", "has no write", overlap{"WRITE-13", "what is written is lost"}, middlewareFaults{noWrite: true}},
	{"WRITE-13", "does not transform what is written", none, middlewareFaults{plainWrite: true}},
	{"MW-16", "sends Connection", none, middlewareFaults{hopByHop: true}},
	{"MW-01", "sends a malformed header", none, middlewareFaults{badHeader: true}},
	{"MW-17", "does not transform files", none, middlewareFaults{passesFiles: true}},
	{"MW-18", "keeps a Len that is no longer right", none, middlewareFaults{keepsLen: true, addsBlock: true}},
	{"MW-19", "swallows errors", none, middlewareFaults{swallowsErrors: true}},
	{"MW-19", "ends a cut response cleanly", none, middlewareFaults{cutsErrors: true}},
	{"MW-20", "takes a failed call for an empty one", none, middlewareFaults{swallowsCall: true}},
	{"ENV-24", "passes some variables", none, middlewareFaults{copiesEnviron: true}},
	{"CGI-20", "sets SCRIPT_NAME to a slash", none, middlewareFaults{spoilsPath: true}},
	{"INPUT-23", "consumes the input", none, middlewareFaults{consumesInput: true}},
	{"BODY-22", "changes blocks", none, middlewareFaults{edits: true}},
	{"BODY-22", "keeps blocks", none, middlewareFaults{keepsBlocks: true}},
	{"HDR-12", "knows one spelling of Content-Type", none, middlewareFaults{exactNames: true}},
	{"CGI-32", "leaves in PATH_INFO what it puts into SCRIPT_NAME", none, middlewareFaults{splitsPath: true}},
	{"INPUT-22", "replaces the input by one that has no lines", none, middlewareFaults{losesLines: true}},
	{"COM-04", "replaces the input by one without an end", overlap{"INPUT-22 INPUT-23", "they read to the end"}, middlewareFaults{failsAtEnd: true}},
	{"MW-21", "makes a GET of a HEAD for good", none, middlewareFaults{keepsMethod: true}},
	{"COM-09", "catches every error", none, middlewareFaults{catchesErrors: true}},
	{"APP-05", "shares what belongs to a request", none, middlewareFaults{isShared: true}},
}

// TestMiddlewareMutants runs the suite on a middleware that is right, and on
// one for each fault that it should find.
func TestMiddlewareMutants(t *testing.T) {
	for rule, fault := range judge(mutantMiddleware(&middlewareFaults{}), middlewareProbes, defaultPatience, "").broken {
		t.Errorf("the suite says that %s is broken:\n%s", rule, fault)
	}
	var y tally
	for _, m := range middlewareMutants {
		t.Run(m.rule+"/"+m.name, func(t *testing.T) {
			y.verdict(t, judge(mutantMiddleware(&m.faults), middlewareProbes, mutantPatience, m.rule+" "+m.also.rules), m.rule, m.also)
		})
	}
	y.table(t, "middleware", len(middlewareMutants), rulesOf(middlewareProbes))
}
