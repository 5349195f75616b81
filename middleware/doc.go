// Package middleware is a set of middlewares, each of them an application to
// its server and a server to its application, and the means to put them
// together.
//
// Everything here has one shape: a constructor takes its choices and returns a
// wsgi.Middleware. Chain puts several in a row, the first listed outermost:
//
//	stack := middleware.Chain(
//		middleware.When(isUpload, limits),
//		middleware.Mount("/static", files),
//	)
//	log.Fatal(server.ListenAndServe("127.0.0.1:8000", stack(app)))
//
// # Choices
//
// The zero value of every Config is the safe choice. A constructor panics when
// its arguments cannot be meant, with a text that names it: they are literals in
// a program, and the panic comes when the program starts. A Config with fields
// that may come from elsewhere has a method Validate, which returns the same as an
// error.
//
// # What all of them keep
//
// A middleware acts when start_response is called, which may be as late as in
// the first block of the body. It yields a block for each block that it is given,
// closes the body exactly once on every path, treats what is sent by write as
// the beginning of the body, passes exc_info on, and returns the application's
// own body where it does not change or watch it. An error after the first byte
// goes on to the server, which cuts the response.
//
// The environ that a middleware was given stays as it was; one that sets variables
// passes on a copy.
//
// Files and sessions are in the packages static and session below this one.
//
// Middlewares may be used by any number of goroutines at once.
package middleware
