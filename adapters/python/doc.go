// Package python hosts Python applications: it runs WSGI applications in
// processes of CPython, and is an application of Go to everybody else.
//
//	pool, err := python.Start(ctx, python.Config{App: "mysite.wsgi:application"})
//	if err != nil {
//		return err
//	}
//	defer pool.Close()
//	return server.ListenAndServe(":8000", pool)
//
// A [Pool] is a wsgi.Application. Every middleware wraps it, it can be mounted
// beside applications of Go, and each server and protocol of this module serves
// it. Nothing is to be installed on the Python side: a worker is one file that
// is embedded here, for CPython 3.8 to 3.14 and its standard library. There is no
// cgo. Workers need Linux.
//
// # The contract
//
// An application finds PEP 3333 as it is written: start_response with exc_info,
// write, a response that starts as late as its first block, generators, close,
// len, wsgi.file_wrapper, all ways to read wsgi.input. It also finds
// wsgi.input_terminated, wsgi.early_hints where the client can be sent some, and
// gowsgi.client_disconnected, which tells whether anybody still waits. What a
// middleware has put into the environ arrives if it is a string; other values
// cannot leave the process.
//
// A head is checked by the same code as that of an application of Go, and a
// response that fails is cut in the same way. A file that is returned in
// wsgi.file_wrapper travels as a descriptor, and the server sends it by the
// operating system's own means, after the worker has gone on to other work.
//
// # How a request travels
//
// All workers read one queue, a pipe on which a request is a number of eight
// bytes. The request itself lies in memory that they share with this process. A
// worker that is free takes the next, so nobody has to choose one, a busy worker
// finds its next request without having slept, and no request waits behind a slow
// one while another worker is idle. A response that is small is left in that memory
// too, and its number goes back on a second pipe, which is one for all workers. So
// what costs most, system calls and waking somebody up, is shared by requests that
// come at the same time.
//
// Each thread has a lane besides, a socket for what is larger or takes more than
// one step: responses that come in parts, heads that are to be checked, questions
// for the request body, of which the parts come through shared memory, and file
// descriptors.
//
// A large block is left on trays: memory that a worker makes when it first has such
// a block, and in which Go finds what a frame only names. The worker goes on to its
// next request, and Go gives a tray back when its part has been sent. When all are
// with clients that are slow, the rest of a response travels as a file in memory, and a
// stream goes over the lane.
//
// The shared memory also says which request a lane has begun, and which nobody
// waits for any more. Because it is known what a worker had begun when it ended,
// that one request fails and no other; and because it may have had an effect, it
// is not tried again (SRV-01). Those in the queue are not touched by it.
//
// # What happens to workers
//
// A worker that ends is replaced, more slowly each time when that happens again
// and again. One that is silent for too long in a request writes its stacks to
// the log and is killed; one that has served enough requests, lived long enough
// or grown too large is replaced once its successor is ready. [Pool.Reload] does
// that with all of them, and keeps the old ones when the new do not come up.
// When this process ends, be it by SIGKILL, so do the workers.
//
// A process that an application forks in a request has no part in the worker's lanes:
// one that goes on with the request, and is not ended by the application, ends when it
// would answer. An exception that a signal handler raises while the worker speaks
// with this process ends the worker, as nobody knows then what was sent.
package python
