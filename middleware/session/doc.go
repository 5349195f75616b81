// Package session keeps what a site remembers of a visitor from one request to
// the next, in an encrypted cookie or in a Store on the server.
//
//	sessions := session.New(session.Config{Store: new(session.Memory)})
//	log.Fatal(server.ListenAndServe("127.0.0.1:8000", sessions(app)))
//
// The application asks for the session of a request with From, and changes it
// before it calls start_response:
//
//	s, err := session.From(environ)
//	if err != nil {
//		return nil, err
//	}
//	s.Renew() // at each login
//	err = s.Set("user", name)
//
// # Cookie or Store
//
// With Keys the session itself is in the cookie, encrypted and authenticated: there
// is nothing to keep on the server, and nothing to take back. A copy of such a
// cookie is good until it expires, also after Destroy; of two requests at the
// same time the one that is answered last wins.
//
// With a Store the cookie is 32 random bytes, and the session is found by their
// digest, so that what is in the store is of no use as a cookie and a lookup
// tells nothing by the time that it takes. Destroy is final: no copy of the cookie
// and no request that still runs brings the session back. Changes that concurrent
// requests make to different values all count.
package session
