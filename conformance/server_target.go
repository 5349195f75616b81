package conformance

import "strings"

// serverTargetProbes look at what becomes of the request's target.
var serverTargetProbes = []probe[*serverSubject]{
	onServer("CGI-02", "SCRIPT_NAME at the root", func(s *serverRun) {
		s.variables(s.request("GET", "/PROBE/x"), "SCRIPT_NAME", "")
	}),
	onServer("CGI-03", "PATH_INFO of the root", func(s *serverRun) {
		e := s.environ(s.request("GET", "/"))
		if path, _ := e["PATH_INFO"].(string); path != "/" {
			s.faultf("expected PATH_INFO to be %q for the path %q where the application is at the root, got %q", "/", "/", path)
		}
	}),
	onServer("CGI-14", "SCRIPT_NAME is no slash", func(s *serverRun) {
		for _, path := range []string{"/", "/PROBE"} {
			if script := s.environ(s.request("GET", path))["SCRIPT_NAME"]; script == "/" {
				s.faultf("expected SCRIPT_NAME never to be %q, it is for the path %q", "/", path)
			}
		}
	}),
	onServer("CGI-15", "PATH_INFO where SCRIPT_NAME is empty", func(s *serverRun) {
		for _, path := range []string{"/", "/PROBE"} {
			e := s.environ(s.request("GET", path))
			if script := e["SCRIPT_NAME"]; (script == nil || script == "") && e["PATH_INFO"] == nil {
				s.faultf("expected PATH_INFO where SCRIPT_NAME is empty, it is absent for the path %q", path)
			}
		}
	}),
	onServer("CGI-16", "SCRIPT_NAME ends in no slash", func(s *serverRun) {
		for _, path := range []string{"/", "/PROBE", "/PROBE/", "/PROBE/a/"} {
			if script, _ := s.environ(s.request("GET", path))["SCRIPT_NAME"].(string); len(script) > 1 && strings.HasSuffix(script, "/") {
				s.faultf("expected SCRIPT_NAME not to end in a slash, got %q for the path %q", script, path)
			}
		}
	}),
	onServer("CGI-13", "begin with a slash", func(s *serverRun) {
		for _, path := range []string{"/PROBE", "/PROBE/", "/PROBE/a/b"} {
			e := s.environ(s.request("GET", path))
			for _, key := range []string{"SCRIPT_NAME", "PATH_INFO"} {
				if value, _ := e[key].(string); value != "" && value[0] != '/' {
					s.faultf("expected %s to be empty or to begin with a slash, got %q for %s", key, value, path)
				}
			}
		}
	}),
	onServer("CGI-17", "decoded once", func(s *serverRun) {
		for _, path := range [][2]string{{"%2c", ","}, {"%252c", "%2c"}, {"%E3%81%82", "\xe3\x81\x82"}, {"%FF", "\xff"}, {"a%20b", "a b"}} {
			s.pathInfo("/x/"+path[0], "/x/"+path[1])
		}
		s.reading("AMB-21")
		s.pathInfo("/x/a%2Fb", "/x/a/b")
	}),
	onServer("CGI-18", "QUERY_STRING undecoded", func(s *serverRun) {
		s.variables(s.request("GET", "/PROBE?x=%20y&z=%C3+?a"), "QUERY_STRING", "x=%20y&z=%C3+?a")
	}),
	onServer("CGI-18", "QUERY_STRING without a query", func(s *serverRun) {
		for _, path := range []string{"/PROBE", "/PROBE?"} {
			if q := s.environ(s.request("GET", path))["QUERY_STRING"]; q != nil && q != "" {
				s.faultf("expected QUERY_STRING to be empty or absent for %s, got %q", path, q)
			}
		}
	}),
	onServer("CGI-19", "not normalised", func(s *serverRun) {
		s.reading("AMB-21")
		for _, path := range []string{"/x//foo///bar", "/x/./../y", "/x/a/", "/x//"} {
			s.pathInfo(path, path)
		}
		e := s.environ(s.request("GET", "//two/slashes"))
		if got := wholePath(e); got != "//two/slashes" {
			s.faultf("expected SCRIPT_NAME and PATH_INFO to be the path %q, got %q", "//two/slashes", got)
		}
	}),
	onServer("CGI-20", "SCRIPT_NAME and PATH_INFO are the path", func(s *serverRun) {
		for _, path := range []string{"/x", "/x/", "/x/y/z"} {
			s.pathInfo(path, path)
		}
	}),
	onServer("CGI-28", "absolute target", func(s *serverRun) {
		s.reading("AMB-22")
		s.onHTTP1()
		e := s.environ("GET http://other.test:99/PROBE?q HTTP/1.1\r\nHost: conformance.test\r\n\r\n")
		if got := wholePath(e); got != s.path || e["QUERY_STRING"] != "q" {
			s.faultf("expected the path %q and the query q of an absolute target, got %q and %q", s.path, got, e["QUERY_STRING"])
		}
	}),
	onServer("CGI-28", "asterisk and authority", func(s *serverRun) {
		s.reading("AMB-22")
		s.onHTTP1()
		for _, raw := range []string{s.request("OPTIONS", "*"), s.request("CONNECT", "other.test:80")} {
			e := s.environOrRefusal(raw)
			if path := wholePath(e); e != nil && path != "" && path[0] != '/' && !(path == "*" && e["REQUEST_METHOD"] == "OPTIONS") {
				s.faultf("expected %q to be answered by the server or to have a path, PATH_INFO is %q", raw, path)
			}
		}
	}),
	onServer("CGI-29", "host of an absolute target", func(s *serverRun) {
		s.reading("AMB-22")
		s.onHTTP1()
		s.variables("GET http://other.test:99/PROBE HTTP/1.1\r\nHost: conformance.test\r\n\r\n", "HTTP_HOST", "other.test:99")
	}),
	onServer("CGI-31", "fragment", func(s *serverRun) {
		s.onHTTP1()
		e := s.environOrRefusal(s.request("GET", "/PROBE#f"))
		if e != nil && wholePath(e) != s.path+"#f" {
			s.faultf("expected a target with a fragment to be refused, or passed as it is, and not corrected (RFC 9112, section 3.2), got the path %q", wholePath(e))
		}
	}),
	onServer("STR-06", "bytes of target and header", func(s *serverRun) {
		e := s.environ(s.request("GET", "/PROBE/%FF%C3%A9?%FF", "X-Raw: \xff\xe9"))
		switch got := wholePath(e); got {
		case s.path + "/\xff\xc3\xa9":
		case s.path + "/%FF%C3%A9":
			s.left("CGI-17", "the path is not decoded")
		default:
			s.faultf("expected the path %q, got %q", s.path+"/\xff\xc3\xa9", got)
		}
		if got := e["HTTP_X_RAW"]; got != "\xff\xe9" {
			s.faultf("expected HTTP_X_RAW to be %q, got %q", "\xff\xe9", got)
		}
	}),
	onServer("STR-06", "raw bytes of a target", func(s *serverRun) {
		// No target may have them, and a server may well refuse it.
		if e := s.environOrRefusal(s.request("GET", "/PROBE?%FF\xe9")); e != nil && e["QUERY_STRING"] != "%FF\xe9" {
			s.faultf("expected the query %q or a refusal, got %q", "%FF\xe9", e["QUERY_STRING"])
		}
	}),
}

func wholePath(e map[string]any) string {
	script, _ := e["SCRIPT_NAME"].(string)
	info, _ := e["PATH_INFO"].(string)
	return script + info
}

// pathInfo checks the path that the application sees when what follows the
// probe's own is sent in the given form.
func (s *serverRun) pathInfo(sent, want string) {
	e := s.environ(s.request("GET", "/PROBE"+sent))
	if got := wholePath(e); got != s.path+want {
		s.faultf("expected SCRIPT_NAME and PATH_INFO to be %q for the path %q, got %q", s.path+want, sent, got)
	}
}
