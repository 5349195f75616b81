package requirements_test

// because has the requirements that bind a server and have no test, with the
// reason. That nobody has written the test is none.
var because = map[string]string{
	// Nothing else can be written in Go.
	"CALL-07": "Go has no keyword arguments",
	"SRV-05":  "a write callable comes from start_response and from nowhere else",
	"STR-01":  "says that the groups of string rules bind, each of which has its own tests",

	// Documentation, or an attitude.
	"SRV-09":  "a permission; an application is a field of the server",
	"CFG-01":  "a permission; see CFG-04 for what there is",
	"CFG-02":  "documentation",
	"ENV-11":  "documentation",
	"HTTP-03": "an attitude; what follows from it are HTTP-01, HTTP-02 and the rules of hop-by-hop headers",

	// Permissions that this module does not use, so that there is nothing to
	// tolerate.
	"INPUT-06": "the stream ends where the body does (INPUT-07), whatever is read of the connection",
	"INPUT-12": "the size of readline is supported (INPUT-11)",
	"BODY-24":  "the body is sent as it is (BODY-05)",
	"EXP-02":   "100 Continue is sent when the body is read (EXP-03)",
	"HTTP-08":  "conditional requests are the application's",
	"HTTP-10":  "content codings are the application's or a middleware's",
	"HTTP-13":  "ranges are the application's",

	// Extensions.
	"EXT-05": "the only extension that sends anything is wsgi.early_hints, whose form, without a start_response, is what other servers gave it (COM-12)",
	"EXT-06": "StartResponse is a function and functions have no identity, so no extension of this module asks for one",
}
