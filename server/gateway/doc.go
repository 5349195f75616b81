// Package gateway is the server side of the WSGI contract, once: it runs one
// request by the rules of PEP 3333, over whatever carries the response.
//
// A server for a protocol is three things. A [wsgi.Source] that knows the
// request's variables; a [Transport] that can put a head, a block and an end
// on its wire; and a loop that makes an [Exchange] of the two for each request
// and hands it to [Gateway.Serve]. None of the three knows a rule of the
// contract: when start_response may be called and what it refuses, when the
// head goes out, how Content-Length binds the body, what a failure looks like
// to the client, that the body is closed exactly once. Those are here, and
// nowhere else.
//
// # The way of a request
//
//	Serve
//	  the application is called              serve.go
//	  start_response stores the head         start.go
//	  each block is sent before the next     body.go
//	  the response is finished, or cut       serve.go
//	  the body is closed
//
// The head is held back until the first non-empty block, the first write, or
// the end of the body, so that an error handler can still replace it. A
// refused start_response is remembered: an application that ignores the
// returned error does not get away with it. What fails before the head is
// sent becomes a 500; what fails after it makes Serve return an error, and the
// server then cuts the connection in a way that the client can see.
package gateway
