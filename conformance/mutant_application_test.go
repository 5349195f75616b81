package conformance

import (
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// mutantApp is an application with at most one fault, by name.
type mutantApp struct {
	fault  string
	shared wsgi.Headers
	calls  atomic.Int32
}

func (m *mutantApp) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	status := "200 OK"
	headers := plainText("Content-Length", "11")
	n := m.calls.Add(1)
	is := func(fault string) bool { return m.fault == fault }
	method := environ.Var("REQUEST_METHOD")

	if is("fails always") {
		return nil, errors.New("no database")
	}

	// What a request is read for.
	switch {
	case method == "POST" && (is("reads on") || is("reads on in Python")):
		io.ReadAll(environ.Input())
	case method == "POST" && is("one read"):
		p := make([]byte, 64)
		if k, _ := environ.Input().Read(p); k < len(postedForm) {
			status = "400 Bad Request"
		}
	case method == "POST":
		length, _ := environ.ContentLength()
		io.ReadAll(io.LimitReader(environ.Input(), length))
	}

	// What the answer depends on.
	switch {
	case is("needs REMOTE_ADDR"):
		_ = environ.Get("REMOTE_ADDR").(string)
	case is("needs empties") && environ.Get("QUERY_STRING") == nil,
		is("needs a wrapper") && environ.Get("wsgi.file_wrapper") == nil,
		is("reads Connection") && environ.Get("HTTP_CONNECTION") != nil,
		is("runs once") && environ.Get("wsgi.run_once") == true && m.shared != nil,
		is("fails at times") && n%3 == 0:
		status = "500 Internal Server Error"
	case is("panics") && method == "HEAD":
		panic("no such page")
	}
	if environ.Get("wsgi.run_once") == true && is("runs once") {
		m.shared = plainText()
	}

	// The head.
	switch {
	case is("status"):
		status = "200"
	case is("blank behind"):
		status = "200 OK "
	case is("control"):
		status = "200 O\x01K"
	case is("line end"):
		status = "200 OK\n"
	case is("low code"):
		status = "099 Low"
	case is("colon"):
		headers = append(headers, fields("X-Y:", "z")...)
	case is("interim"):
		status = "102 Processing"
	case is("name"):
		headers = append(headers, fields("X Y", "z")...)
	case is("value"):
		headers = append(headers, fields("X-Y", "a\nb")...)
	case is("hop"):
		headers = append(headers, fields("Connection", "close")...)
	case is("odd length"):
		headers = plainText("Content-Length", "eleven")
	case is("two lengths"):
		headers = append(headers, fields("Content-Length", "11")...)
	case is("wrong length"):
		headers = plainText("Content-Length", "12")
	case is("status header"):
		headers = append(headers, fields("Status", "200 OK")...)
	case is("no type"):
		headers = headers[1:]
	case is("one list"):
		if m.shared == nil {
			m.shared = headers
		}
		headers = m.shared
	}
	if is("never starts") {
		return blocksOf("hello world"), nil
	}
	write, err := start(status, headers, nil)
	switch {
	case err != nil && is("ignores refusals"):
		return wsgi.Empty(), nil
	case err != nil && is("own refusal"):
		return nil, errors.New("something went wrong")
	case err != nil:
		return nil, err
	case is("starts twice"):
		start(status, headers, nil)
	case is("changes the list"):
		headers[0].Value = "changed/later"
	case is("no body"):
		return nil, nil
	}

	// The body.
	body := wsgi.Generator(func(yield func([]byte, error) bool) {
		if is("late write") {
			write(nil)
		}
		for _, block := range strings.SplitAfter("hello world", " ") {
			if !yield([]byte(block), nil) && !is("goes on") {
				return
			}
		}
	})
	if is("wrong Len") {
		return lyingBody{&recorded{record: new(record), blocks: body}}, nil
	}
	return body, nil
}

var applicationMutants = []struct {
	rule, fault string
	also        overlap
}{
	{"HDR-01", "status", none},
	{"HDR-02", "blank behind", none},
	{"HDR-03", "control", none},
	{"HDR-04", "line end", none},
	{"HDR-05", "low code", none},
	{"HDR-10", "colon", none},
	{"HDR-23", "interim", none},
	{"HDR-09", "name", none},
	{"HDR-11", "value", none},
	{"HDR-13", "hop", none},
	{"LEN-10", "odd length", none},
	{"LEN-11", "two lengths", none},
	{"HDR-19", "status header", none},
	{"HDR-20", "no type", none},
	{"HDR-24", "wrong length", none},
	{"START-27", "one list", overlap{"HDR-20", "a list that a server has emptied is empty in the next response"}},
	{"BODY-01", "no body", none},
	{"ERR-01", "panics", none},
	{"ERR-01", "fails always", none},
	{"START-04", "never starts", none},
	{"START-19", "starts twice", none},
	{"START-27", "changes the list", none},
	{"START-16", "ignores refusals", none},
	{"START-17", "own refusal", none},
	{"BODY-07", "wrong Len", none},
	{"BODY-15", "goes on", none},
	{"WRITE-08", "late write", none},
	{"APP-02", "fails at times", overlap{"APP-05 ENV-21 ENV-12 HTTP-06 INPUT-05", "they compare a request with another"}},
	{"ENV-12", "needs REMOTE_ADDR", none},
	{"ENV-12", "needs empties", none},
	{"ENV-21", "runs once", none},
	{"ENV-12", "needs a wrapper", none},
	{"HTTP-06", "reads Connection", none},
	{"INPUT-08", "reads on in Python", none},
	{"INPUT-05", "one read", none},
}

// sharing is an application that keeps the state of a request in itself: the
// body of one request answers another.
type sharing struct {
	meet    *meeting
	current atomic.Int32
}

func (a *sharing) Call(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	inside := a.current.Add(1)
	defer a.current.Add(-1)
	if a.meet.wait(); inside > 1 {
		return nil, errors.New("another request's state")
	}
	_, err := start("200 OK", plainText(), nil)
	return wsgi.Strings("shared"), err
}

// mutantPythonApp is a mutantApp that stands for one of Python's.
type mutantPythonApp struct{ *mutantApp }

func (mutantPythonApp) Findings() []Finding { return nil }

func newMutantApp(fault string) wsgi.Application {
	app := &mutantApp{fault: fault}
	if strings.HasSuffix(fault, "in Python") {
		return mutantPythonApp{app}
	}
	return app
}

// TestApplicationMutants runs the suite on an application that is right, and
// on one for each fault that it should find.
func TestApplicationMutants(t *testing.T) {
	// In Go the input ends, and whoever reads it to its end is right.
	for _, sound := range []string{"", "sound in Python", "reads on"} {
		for rule, fault := range judge(newMutantApp(sound), applicationProbes, defaultPatience, "").broken {
			t.Errorf("the suite says of the application %q that %s is broken:\n%s", sound, rule, fault)
		}
	}
	var y tally
	for _, m := range applicationMutants {
		t.Run(m.rule+"/"+m.fault, func(t *testing.T) {
			y.verdict(t, judge(newMutantApp(m.fault), applicationProbes, mutantPatience, m.rule+" "+m.also.rules), m.rule, m.also)
		})
	}
	t.Run("APP-05/shares state", func(t *testing.T) {
		y.verdict(t, judge[wsgi.Application](&sharing{meet: newMeeting(1 << 20)}, applicationProbes, mutantPatience, "APP-05"), "APP-05", none)
	})
	y.table(t, "application", len(applicationMutants)+1, rulesOf(applicationProbes))
}
