// Package nethttp makes a WSGI application of an [http.Handler], so that every
// Go web framework runs behind every WSGI middleware and on every WSGI server.
//
//	app := nethttp.Application(mux)
//
// ServeHTTP runs on the goroutine that iterates the body, inside Blocks: what
// the handler writes is yielded, and a slow client is felt as a slow Write. No
// goroutine is started and no body is collected. Middleware sees a body like
// any other.
//
// # The response
//
// The answer is the one that net/http would have given. Status and headers are
// those of the moment of WriteHeader, 200 when it is not called. A missing
// Content-Type is guessed from the first bytes of the body, under the same
// conditions. Small writes are collected as net/http collects them; a body
// that is complete before the first 2048 bytes are exceeded (4096 under
// HTTP/2) gets a Content-Length. Write beyond a declared Content-Length
// returns [http.ErrContentLength], and on a 204 or 304
// [http.ErrBodyNotAllowed]. Names of header fields that HTTP does not admit
// are dropped; in values, each control character becomes a blank, under HTTP/2
// too, where net/http drops such a field.
//
// Nothing is held back once the handler declared a Content-Length or sends
// text/event-stream: there each Write is a block. Elsewhere Flush yields what
// is held back. A part of a regular file that reaches ReadFrom, as
// http.ServeContent and io.Copy see to, is handed to the server as a file
// ([wsgi.FileStreamer]); when a middleware stands between, it arrives as
// blocks.
//
// An [http.ResponseController] finds Flush; EnableFullDuplex, which is granted,
// for the contract knows nothing else; and the two deadlines where the server
// can set them.
//
// # The request
//
// On the net/http server of this module the handler receives the original
// *http.Request, or when there is a body a copy that reads wsgi.input, unless a
// middleware has altered what describes the request. In all other cases a
// request is built from the environ, which no longer tells apart fields that
// came twice and one with a comma. The handler is
// mounted at SCRIPT_NAME: r.URL.Path is PATH_INFO, as after [http.StripPrefix],
// but "/" where PATH_INFO is empty. r.RequestURI is what the client sent.
//
// # Limits
//
// The contract is narrower than net/http in these places:
//
//   - Flush before the first byte of the body cannot send the head: a WSGI
//     head goes out with a block or at the end (START-08). It does fix the
//     headers: neither Content-Type nor Content-Length is added afterwards.
//   - Hop-by-hop fields, Connection among them, belong to the server and are
//     dropped (HDR-13).
//   - A declared Trailer fails the request with a 500, before anything was
//     sent (HTTP-05). Trailers with [http.TrailerPrefix] are reported on
//     wsgi.errors and not sent.
//   - WriteHeader(103) is wsgi.early_hints, where the server has it. Other
//     interim responses are ignored; 101 fails the request, and Hijack is
//     [http.ErrNotSupported].
//   - Where net/http begins a response early for reasons of its own, as its
//     ReadFrom does after 512 bytes, a short body may have a Content-Length here
//     and none there.
//   - A header map that has Date as a key without a value still gets a Date.
//   - http.MaxBytesReader limits the body, but cannot ask the server to close
//     the connection.
//   - A panic before the first block becomes a 500 where net/http would have
//     cut the connection; [http.ErrAbortHandler] cuts it, as there.
//
// # Other goroutines
//
// Blocks may be yielded by the iterating goroutine only, and that is the one
// ServeHTTP was called on. A handler may call the ResponseWriter from another
// goroutine all the same, as os/exec does with Stdout and the flush timer of
// httputil.ReverseProxy does. A Flush from there only arranges that from now
// on every Write is yielded at once. A Write from there is accepted and kept,
// up to 1 MiB in all, until the handler's own goroutine next writes or flushes,
// or returns; beyond that it returns an error. When ServeHTTP has returned, so
// does every further call.
//
// # Backends
//
// A [Client] is an application that lets an HTTP server answer.
package nethttp
