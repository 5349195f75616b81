package conformance

// unprobedBecause is why a suite has no probe of a rule that it could be
// expected to look at: the rule binds its subject, and the catalogue says that
// a suite can check it. The reason is what a report says.
var unprobedBecause = map[string]string{
	// Another probe looks at the same.
	"START-06": "the same as MW-14, for middleware",
	"START-23": "the same as START-20, as far as it shows",
	"BODY-11":  "the same as MW-10, for middleware",
	"BODY-13":  "the same as MW-10, for middleware",
	"BODY-18":  "the same as BODY-17, as far as it shows",
	"BUF-02":   "the same as BUF-01, as far as it shows",
	"WRITE-03": "the same as WRITE-13, for middleware",
	"WRITE-09": "the same as WRITE-13, for middleware",
	"ERR-04":   "the same as START-16, as far as it shows",
	"ERR-05":   "the same as START-17, as far as it shows",
	"EXP-04":   "EXP-01 waits for 100 Continue",
	"HTTP-04":  "the same as HDR-13, as far as it shows",
	"HTTP-12":  "the same as HDR-13, as far as it shows",
	"FILE-10":  "the same as FILE-06, as far as it shows",
	"FILE-17":  "the same as FILE-06, as far as it shows",
	"COM-08":   "the same as CGI-32, as far as it shows",

	// Go leaves nothing to break.
	"CALL-02":  "of a function there is nothing to be looked at in Go",
	"APP-04":   "an application is a value with the method Call in Go, a class too",
	"SRV-05":   "write comes from start_response and from nowhere else in Go",
	"STR-05":   "a string consists of bytes in Go",
	"INPUT-09": "a read has a size in Go; INPUT-07 reads to the end",
	"INPUT-14": "wsgi.InputStream has no other methods",
	"START-25": "nil is the one way to give no exc_info in Go",
	"BODY-12":  "the body itself is iterated in Go, there is no other object",

	// It cannot be seen from outside, or depends on what the suite does not know.
	"ENV-19": "whether other processes run the application is the deployer's choice; ENV-20 looks at the flag's type",
	"LOG-08": "nobody outside can tell whether a flush would have mattered",
	"HDR-22": "binds applications; what is on the wire depends on the protocol, and a server over net/http has phrases of its own",
	"ERR-02": "an application would have to fail on demand; START-16 looks at what it does with a refusal",
	"ERR-03": "an application would have to fail on demand; START-16 looks at what it does with a refusal",
	"THR-03": "the race detector is what finds it, with go test -race",
	"EXT-02": "depends on the extensions that a server has",
	"EXT-03": "depends on the extensions that a server has",
	"EXT-04": "depends on the extensions that a server has",
	"EXT-05": "depends on the extensions that a server has",
	"EXT-06": "depends on the extensions that a server has",
	"CFG-04": "a matter of configuration, of which the suite knows nothing",
	"URL-02": "the suite does not know where an application shows its URL",
	"URL-03": "the suite does not know where an application shows its URL",
	"URL-04": "the suite does not know where an application shows its URL",
	"URL-05": "the suite does not know where an application shows its URL",
	"URL-06": "the suite does not know where an application shows its URL",
	"COM-10": "the layers share one environ, so that nobody can tell for whom the key was set",
}
