package wsgi

// Response is a complete answer and itself an Application: what a middleware
// answers with when it does not call the inner application, and what an
// application returns when it has nothing more to decide.
//
// Headers are copied at each call. Body is used as it is: a Response whose Body
// can be iterated only once can be called only once. A nil Body is an empty
// one.
type Response struct {
	Status  string // code and reason phrase, such as "404 Not Found"
	Headers Headers
	Body    Iterable
}

// Call starts the response and returns its body. When startResponse refuses,
// the body is closed.
func (r Response) Call(_ *Environ, startResponse StartResponse) (Iterable, error) {
	body := r.Body
	if body == nil {
		body = Empty()
	}
	if _, err := startResponse(r.Status, r.Headers.Clone(), nil); err != nil {
		body.Close()
		return nil, err
	}
	return body, nil
}
