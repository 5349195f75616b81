// Package static serves files: from a folder, from an embedded file system,
// from anything that is an fs.FS.
//
//	root, err := os.OpenRoot("public")
//	if err != nil {
//		log.Fatal(err)
//	}
//	files := static.New(static.Config{Files: root.FS(), Prefix: "/static"})
//	log.Fatal(server.ListenAndServe("127.0.0.1:8000", files(app)))
//
// New is a middleware: what is no file goes on to the application inside.
// Application is the same without one, and answers 404.
//
// # Which files
//
// The path of a request is taken as the server decoded it, once. It names a file
// only if it is clean: a path with an empty segment, with "." or "..", with a
// backslash, a control character, or bytes that are no UTF-8 names none, and is
// not corrected. Segments that begin with a dot name none unless DotFiles is
// set. On Windows neither do names that Windows reads as something else: devices
// such as CON and NUL.txt, alternate streams, short names with a tilde, and names
// that end in a dot or a blank.
//
// Use the FS of an os.Root for a folder. It keeps symbolic links from leading out
// of the folder, whatever happens to the folder meanwhile; os.DirFS does not, and
// is refused. Only regular files are opened, never pipes and devices.
//
// # Responses
//
// GET and HEAD answer with 200; 206 and 416 for ranges; 304 and 412 for
// conditions. Other methods get a 405, but only where there is a file: for the
// application inside, a POST is none of this package's business.
//
// An ETag is made of the modification time and the size, and is weak while the
// file is younger than two seconds, since it could still change without a trace.
// An embedded file has no time; its ETag is a digest, computed once. A file of
// any other file system without times has neither ETag nor Last-Modified.
//
// A whole file is given to wsgi.file_wrapper, and a range to the server as a
// wsgi.FileStreamer: either way the operating system may send it.
package static
