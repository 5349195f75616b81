// Package wsgitest is for testing applications, middleware and servers: what
// net/http/httptest is to net/http.
//
// A test describes a request, runs it, and looks at what came of it:
//
//	func TestGreeting(t *testing.T) {
//		req := wsgitest.NewRequest("POST", "/greet?lang=en").Form(url.Values{"name": {"Ada"}})
//		res := wsgitest.Do(t, app, req)
//		if res.Code != 200 || res.Text() != "Hello, Ada!" {
//			t.Errorf("got %s %q", res.Status, res.Text())
//		}
//	}
//
// [Do] records the response in memory, and fails the test when the application
// wrote to wsgi.errors or broke the contract, unless the request says that this
// is expected. [Record] does the same without a test. [Client] adds what a
// browser adds: cookies, redirects, a base URL. [Live] sends the same requests
// to a server that listens, so that one test runs over both.
//
// # No double
//
// A recorded response is neither kinder nor harsher than a live one. The
// request becomes an environ by the rules of the server, and the response
// comes from the gateway that every server of this module runs: what HEAD and
// 204 discard, where Content-Length clips or cuts a body, what becomes of an
// error before and after the first block, what start_response refuses, all
// that is decided there. The recorder only keeps what the gateway puts on its
// wire. What a server does below that is missing: it adds a Date, codes chunks,
// and may send another reason phrase or order of the headers.
package wsgitest
