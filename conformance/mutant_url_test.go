package conformance

import (
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// add returns a fault of the head: one more line.
func add(line string) siteFaults {
	return siteFaults{head: func(_ *siteRequest, head []string) []string { return append(head, line) }}
}

// replace returns a fault of the head: the text old is another one.
func replace(old, text string) siteFaults {
	return siteFaults{head: func(_ *siteRequest, head []string) []string {
		var out []string
		for _, line := range head {
			if line = strings.ReplaceAll(line, old, text); line != "" {
				out = append(out, line)
			}
		}
		return out
	}}
}

var siteMutants = []struct {
	rule, name, also string
	faults           siteFaults
}{
	{"HDR-01", "no blank in the status line", "HDR-09 HDR-11", replace("HTTP/1.1 ", "HTTP/1.1")},
	{"HDR-01", "four digits", "", replace(" 200 ", " 2000 ")},
	{"HDR-01", "a code below 100", "", replace(" 200 ", " 099 ")},
	{"HDR-09", "a blank in a name", "", add("X Y: z")},
	{"HDR-09", "no name", "", add(": z")},
	{"HDR-11", "a control character in a value", "", add("X-Odd: a\x01b")},
	{"HDR-15", "TE", "", add("TE: trailers")},
	{"HDR-16", "no Date", "", replace("Date: "+siteDate, "")},
	{"HDR-16", "a malformed Date", "", replace("Date: "+siteDate, "Date: today")},
	{"HDR-17", "two Dates", "", add("Date: " + siteDate)},
	{"HDR-17", "two Servers", "", add("Server: another")},
	{"HDR-19", "Status", "", add("Status: 200")},
	{"LEN-10", "a length of letters", "HTTP-15 HTTP-19 CGI-28 EXP-01 LEN-13 THR-02", replace("Content-Length: ", "Content-Length: x")},
	{"LEN-11", "two lengths", "LEN-10 HTTP-15 HTTP-19 LEN-13 CGI-28", siteFaults{head: func(_ *siteRequest, head []string) []string {
		for _, line := range head {
			if strings.HasPrefix(line, "Content-Length") {
				return append(head, line)
			}
		}
		return head
	}}},
	{"LEN-08", "chunks without CR", "HTTP-19 CGI-28 EXP-01 THR-02 SRV-08", siteFaults{badChunks: true}},
	{"LEN-04", "a body that is too short", "HTTP-19 CGI-28 THR-02 SRV-08", siteFaults{shortBody: true}},
	{"HTTP-19", "a body that is too long", "CGI-28 EXP-01 EXP-06 THR-02 HTTP-07 HTTP-17", siteFaults{longBody: true}},
	{"HTTP-15", "a body for HEAD", "", siteFaults{headBody: true}},
	{"LEN-13", "another length for HEAD", "", siteFaults{headLength: true}},
	{"HTTP-16", "a body for 304", "", siteFaults{body304: true}},
	{"LEN-13", "another length for 304", "", siteFaults{length304: true}},
	{"LEN-13", "chunks for 304", "", siteFaults{chunks304: true}},
	{"HTTP-17", "chunks for HTTP/1.0", "EXP-05", siteFaults{chunksOld: true}},
	{"HTTP-17", "stays open for HTTP/1.0", "", siteFaults{keepsOld: true}},
	{"HTTP-19", "loses pipelined requests", "", siteFaults{losesPipelined: true}},
	{"CGI-28", "knows no absolute targets", "", siteFaults{noAbsolute: true}},
	{"CGI-28", "fails for OPTIONS *", "", siteFaults{starFails: true}},
	{"EXP-01", "waits for what is not sent", "", siteFaults{neverContinues: true}},
	{"EXP-01", "says 100 twice", "", siteFaults{continuesTwice: true}},
	{"EXP-05", "says 100 to HTTP/1.0", "", siteFaults{continuesOld: true}},
	{"EXP-06", "says 100 behind the response", "EXP-01", siteFaults{continuesLate: true}},
	{"THR-02", "mixes responses up", "HTTP-19 CGI-28 SRV-08", siteFaults{mixes: true}},
	{"CGI-21", "takes any length", "", siteFaults{takesLengths: true}},
	{"CGI-21", "takes two lengths", "", siteFaults{takesTwoLengths: true}},
	{"HTTP-07", "goes by the length beside chunks", "", siteFaults{goesByLength: true}},
	{"CGI-21", "leaves the connection open", "HTTP-07 SRV-08", siteFaults{staysOpen: true}},
	{"HTTP-07", "takes any coding", "", siteFaults{takesCoding: true}},
	{"HTTP-07", "takes any chunks", "", siteFaults{takesChunks: true}},
	{"HTTP-19", "takes a folded line for a header", "", siteFaults{unfolds: true}},
	{"HTTP-19", "takes a blank before the colon", "", siteFaults{takesBlank: true}},
	{"SRV-08", "answers garbage", "", siteFaults{takesGarbage: true}},
	{"SRV-08", "dies of garbage", "CGI-21 HTTP-07 HTTP-19", siteFaults{diesOfGarbage: true}},
	{"SRV-08", "waits behind a malformed header", "", siteFaults{hangsOnHeader: true}},
}

// TestURLMutants looks from outside at a site that is right, and at one for
// each fault that can be seen.
func TestURLMutants(t *testing.T) {
	meet := func(t *testing.T, s *site) *urlSubject {
		u, err := newURLSubject(s.serve(t, nil))
		if err != nil {
			t.Fatal(err)
		}
		if err := u.meet(t.Context(), defaultPatience); err != nil {
			t.Fatal(err)
		}
		return u
	}
	t.Run("sound", func(t *testing.T) {
		for rule, fault := range judge(meet(t, new(site)), urlProbes(), defaultPatience, "").broken {
			t.Errorf("the suite says that %s is broken:\n%s", rule, fault)
		}
	})
	found := together(len(siteMutants), func(i int, patience time.Duration) judged {
		m := siteMutants[i]
		return judge(meet(t, &site{siteFaults: m.faults}), urlProbes(), patience, m.rule+" "+m.also)
	}, func(i int, j judged) bool { return j.right(siteMutants[i].rule, siteMutants[i].also) })
	var y tally
	for i, m := range siteMutants {
		t.Run(m.rule+"/"+m.name, func(t *testing.T) {
			y.verdict(t, found[i], m.rule, overlapping(m.also, "from outside one response shows both"))
		})
	}
	y.table(t, "URL", len(siteMutants), rulesOf(urlProbes()))
}

// TestCheckURL makes whole reports. No site frames by chunks (LEN-08).
func TestCheckURL(t *testing.T) {
	counts := func(r Report) string {
		return fmt.Sprint(r.Count(Pass), " pass, ", r.Count(Fail), " fail, ", r.Count(Warn), " warn")
	}
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	defer certificate.Close()
	for _, test := range []struct {
		name string
		url  string
		want string
	}{
		{"a sound site", new(site).serve(t, nil), "23 pass, 0 fail, 0 warn"},
		{"over TLS", new(site).serve(t, certificate.TLS), "23 pass, 0 fail, 0 warn"},
		{"a page that is not there", new(site).serve(t, nil) + "no/such?page", "22 pass, 0 fail, 0 warn"},
		{"a SHOULD", (&site{siteFaults: add("TE: x")}).serve(t, nil), "22 pass, 0 fail, 1 warn"},
		{"net/http", sampleServer(t), "23 pass, 0 fail, 0 warn"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := Suite{}.CheckURL(t.Context(), test.url)
			if err != nil {
				t.Fatal(err)
			}
			if got := counts(r); got != test.want || r.Subject != test.url {
				t.Errorf("%s: %s, want %s", r.Subject, got, test.want)
				for _, x := range r.Results {
					if x.Status == Fail || x.Status == Warn {
						t.Logf("%s %s: %s", x.Status, x.ID, x.Evidence)
					}
				}
			}
			for _, x := range r.Results {
				if x.Status == Skip && x.Evidence == "" {
					t.Errorf("%s is skipped without a reason", x.ID)
				}
			}
		})
	}
	t.Run("only", func(t *testing.T) {
		r, err := Suite{Only: []string{"HDR-16", "EXP"}}.CheckURL(t.Context(), new(site).serve(t, nil))
		if err != nil || r.Count(Pass) != 4 {
			t.Errorf("%s, error %v, want 4 that pass", counts(r), err)
		}
	})
}

// TestCheckURLOfNone checks what is no server.
func TestCheckURLOfNone(t *testing.T) {
	listen := func(serve func(c net.Conn)) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		acceptOn(t, l, serve)
		return "http://" + l.Addr().String() + "/"
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	suite := Suite{Patience: 500 * time.Millisecond}
	for _, test := range []struct {
		name, url, want string
	}{
		{"nobody listens", "http://" + l.Addr().String() + "/", "refused"},
		{"closes at once", listen(func(net.Conn) {}), "expected a response to GET /, got none: "},
		{"never answers", listen(func(c net.Conn) { io.Copy(io.Discard, c) }), "expected a response to GET /, got none: "},
		{"no TLS", strings.Replace(new(site).serve(t, nil), "http", "https", 1), "tls: "},
		{"another scheme", "ftp://example.test/", "expected a URL such as http://HOST:PORT/PATH"},
		{"with a password", "http://a:secret@127.0.0.1/", "expected a URL such as"},
		{"no host", "http:///x", "expected a URL such as"},
		{"no URL", "http://[", "missing ']'"},
		{"more than is read", listen(func(c net.Conn) {
			c.Read(make([]byte, 1024))
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n"+strings.Repeat("x", maxWireBody))
		}), "expected a response of less than 1 MiB"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := suite.CheckURL(t.Context(), test.url)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("the error is %v, want %q", err, test.want)
			}
		})
	}
	for name, serve := range map[string]func(c net.Conn){
		"garbage": func(c net.Conn) {
			c.Read(make([]byte, 1024))
			io.WriteString(c, strings.Repeat("\x00garbage\xff", 1000))
		},
		"endless head": func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for err := error(nil); err == nil; {
				_, err = io.WriteString(c, "X-More: and more\r\n")
			}
		},
		"endless body": func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			for err := error(nil); err == nil; {
				_, err = io.WriteString(c, "10000\r\n"+strings.Repeat("more", 16<<10)+"\r\n")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			r, err := suite.CheckURL(t.Context(), listen(serve))
			if (err == nil) == (r.Count(Fail) == 0) {
				t.Errorf("%d rules are broken, error %v, want one of both", r.Count(Fail), err)
			}
			if d := time.Since(begin); d > 30*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
}
