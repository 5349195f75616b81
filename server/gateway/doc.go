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
// Five files, in this order:
//
//	server/handler.go      net/http's request becomes an Exchange
//	serve.go               Serve calls the application, and in the end closes its body
//	start.go               start_response checks the head and stores it
//	body.go                each block is sent before the next is asked for
//	server/transport.go    head, block and end go to net/http
//
// and back in serve.go the response is finished, or cut.
//
// The head is held back until the first non-empty block, the first write, or
// the end of the body, so that an error handler can still replace it. A
// refused start_response is remembered: an application that ignores the
// returned error does not get away with it. What fails before the head is
// sent becomes a 500; what fails after it makes Serve return an error, and the
// server then cuts the connection in a way that the client can see.
package gateway
