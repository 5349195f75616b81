// Package wsgi is the contract of PEP 3333 between web servers and web
// applications, in Go: the types that both sides compile against, and nothing
// of either side.
//
// An application written to this contract runs unchanged on every server that
// keeps it, whatever protocol that server speaks, and a middleware written to
// it wraps every application. The contract is small. A server calls an
// [Application] once for each request, with the request as a dictionary and a
// function that begins the response; the application returns the body; the
// server sends the body block by block and closes it. Everything below is a
// detail of that sentence.
//
// This page is the way in. The comments of the types are the reference: each
// says what it requires of whom. Marks such as START-19 name a row of the
// catalogue of requirements, which a [ContractError] also cites.
//
// # Applications
//
// The shortest application is a function:
//
//	func hello(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
//		headers := wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}
//		if _, err := startResponse("200 OK", headers, nil); err != nil {
//			return nil, err
//		}
//		return wsgi.Strings("Hello, world\n"), nil
//	}
//
//	var app wsgi.Application = wsgi.AppFunc(hello)
//
// [AppFunc] takes a function or a method value. A type with a method Call is an
// application as it stands, and is the usual form for one that has settings.
// [AppClass] takes a constructor: what it constructs for each request is the
// body. A [Response] is an application with a fixed answer. A server, a
// middleware and a test treat all of these alike, and find out nothing about an
// application except by calling it (CALL-01).
//
// Call runs for many requests at the same time unless wsgi.multithread is
// false. So an application keeps nothing of a request in itself: what belongs
// to one request lives in the variables of the call, or in the body.
//
// # Environ
//
// [Environ] is the request as a dictionary. Keys without a dot are CGI
// variables, and their values are strings; keys with a dot belong to whoever
// owns the part before the dot, and their values may be anything.
//
//	method := environ.Var("REQUEST_METHOD") // "" when absent
//	agent := environ.Header("User-Agent")   // HTTP_USER_AGENT
//	user, ok := environ.Lookup("my.user")   // any value
//	n, declared := environ.ContentLength()  // CONTENT_LENGTH as a number
//
// Two variables together are the path. SCRIPT_NAME is the part that led to the
// application and PATH_INFO is the part that is left for it to interpret. A
// dispatcher moves segments from the second to the first with
// [Environ.ShiftPathInfo], so that the inner application can be moved about
// without knowing; [Environ.URL] puts everything together again.
//
// The dictionary is the application's own from the moment of the call: it may
// set and delete any key, and the server does not look again. A middleware
// that passes it on in changed form and still needs the old one makes a
// [Environ.Clone]. Building a dictionary costs little however large the
// request, because a variable is computed when somebody asks for it;
// [Environ.All] and [Environ.Map] compute them all.
//
// [Environ.Context] ends when the request does, or when the client leaves.
// Give it to whatever the application waits for.
//
// # Starting the response
//
// [StartResponse] takes the status, the [Headers] and, in error handlers only,
// the error that made a new response necessary. It sends nothing. The server
// keeps what it was given until the first block that is not empty, so that an
// application may still change its mind about the status until then.
//
// It must have been called before that first block, in Call or as late as in
// the body. It is called once. Its own error means that the server refused:
// the status is malformed, a header would change the connection, or the
// request is over. Return that error; there is nothing else to do with it.
//
// A status is three digits, one space and a phrase. Names of headers are HTTP
// tokens, values hold no control character, and the headers that govern the
// connection are the server's alone. [ParseStatus], [Headers.Validate] and
// [IsHopByHop] are the checks that servers apply.
//
// # Bodies
//
// A body is an [Iterable]: it pushes blocks into the function that it is given,
// and it is closed when the server is done with it.
//
// The server sends a block before it asks for the next one, so blocks are the
// application's means of streaming: nothing that was yielded waits for
// something that was not. For the same reason a page that is complete belongs
// in one block: [Bytes] and [Strings] make such bodies, and since they are
// [Sized], with one block, the server can state the length.
//
// A [Generator] makes its blocks one after another:
//
//	body := wsgi.Generator(func(yield func([]byte, error) bool) {
//		rows := db.Query(...)
//		defer rows.Close()
//		for rows.Next() {
//			if !yield(rows.Format(), nil) {
//				return // the client has left
//			}
//		}
//		if err := rows.Err(); err != nil {
//			yield(nil, err)
//		}
//	})
//
// Three rules keep this sound. When yield returns false the body stops and
// returns; nobody may count on being iterated to the end, nor on being iterated
// at all, so what must happen in any case belongs in Close or in a defer. A
// block is lent, not given: it is valid until yield returns, and whoever
// receives one neither changes nor keeps it. And yield is called only by the
// goroutine that iterates.
//
// An empty block is legal anywhere. It means that there is nothing yet, not
// that the body is over.
//
// # write
//
// StartResponse returns a [Write], which sends a block as if the body had
// yielded it first. It is there for code that can only push its output, such
// as a template that renders into an io.Writer, which a Write is:
//
//	write, err := startResponse("200 OK", headers, nil)
//	if err != nil {
//		return nil, err
//	}
//	if err := page.Execute(write, data); err != nil {
//		return nil, err
//	}
//	return wsgi.Empty(), nil
//
// The first write sends the headers, even when it writes nothing. New code
// yields blocks instead: a middleware can pass them on one by one, and the
// server can stop asking.
//
// # Errors and exc_info
//
// Where a Python application raises, a Go application returns an error, from
// Call or by yielding it. If nothing was sent by then the client gets a 500;
// otherwise the response is cut, so that the client can see that it is not
// whole. A panic is treated in the same way, as a [PanicError].
//
// An application that would rather answer with a page of its own says so with
// the third argument of startResponse, Python's exc_info:
//
//	if _, err := startResponse("200 OK", headers, nil); err != nil {
//		return nil, err
//	}
//	page, err := render(environ)
//	if err != nil {
//		_, err = startResponse("503 Service Unavailable", plain, err)
//		return wsgi.Strings("Please come back later.\n"), err
//	}
//	return wsgi.Bytes(page), nil
//
// As long as nothing was sent, this replaces the status and the headers and
// returns no error. After that it is too late: startResponse returns an error
// that wraps the one it was given, and the handler returns it in turn. Either
// way the handler is the same, and need not know what has been sent.
//
// # Input and errors
//
// [Environ.Input] is the body of the request, an [InputStream]: an io.Reader
// that can also be read by lines. It ends where the body ends, without anybody
// counting bytes, and a body that the client cut short ends in an error other
// than io.EOF. So [io.ReadAll] reads it as a whole, though PEP 3333 lets a server
// in Python leave the end to the application (INPUT-07, INPUT-08). An application
// need not read it, and never closes it.
//
// [Environ.Errors] is an [ErrorStream], where diagnostics go: text in lines
// that end in "\n". The server decides where it ends up.
//
// Both accessors return something usable even where the variable is missing.
// [NewInput] and [NewErrors] make the streams, for servers and for middleware
// that replace them.
//
// # Files
//
// Give an open file to [Environ.FileWrapper] and return the result as the body:
//
//	return environ.FileWrapper()(file, 0), nil
//
// The server sees that it made this body itself, and may let the operating
// system send the file. Nothing is lost where it cannot: the result is an
// ordinary body, read block by block. Its Close closes the file. A body that is
// wrapped by a middleware is always read block by block, since the middleware
// wants to see the blocks; [FileStreamer] tells how that comes about.
//
// # Middleware
//
// A [Middleware] makes an application of an application: a server to the one
// inside, an application to the one outside, and bound by the rules of both.
// Since it is made of plain calls it can act at every step: change the dictionary
// before the call, answer without calling, pass on a startResponse of its own to
// see the headers, and wrap the body.
//
// A body is wrapped by embedding the inner one in a struct with a Blocks of its
// own, as the example of Middleware does. That is more than short: it forwards
// Close, which is owed to the inner body exactly once, and it hides Len, which
// might no longer be right. A middleware that has not enough for a block yet yields an empty one,
// so that control comes back to the server for every block that the
// application makes (MW-05). One that returns another body closes the inner one.
//
// # Strings
//
// Python's text is Unicode and the wire is bytes, so the PEP needs native
// strings: text that holds one byte in each character. Go has an easier life.
// A native string is a Go string whose bytes are the bytes on the wire. A path
// that was sent as UTF-8 is a UTF-8 string, a path that was not is not, and
// nobody re-encodes either. Check with [unicode/utf8.ValidString] where it
// matters.
//
// The bodies of requests and responses are []byte. [Strings] takes the bytes of
// its strings, which for Go's literals means UTF-8.
//
// Only headers remain: a value with characters beyond ASCII goes out as
// Latin-1, one byte for each character, and [EncodeLatin1] and [DecodeLatin1]
// convert. What Latin-1 cannot express has to be escaped first, in the manner
// of the header in question.
package wsgi
