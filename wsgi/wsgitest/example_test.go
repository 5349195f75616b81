package wsgitest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// greet greets whom the form names.
func greet(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	body, err := io.ReadAll(environ.Input())
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return wsgi.Response{Status: "400 Bad Request"}.Call(environ, start)
	}
	return wsgi.Response{
		Status:  "200 OK",
		Headers: wsgi.Headers{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}},
		Body:    wsgi.Strings("Hello, ", form.Get("name"), "!"),
	}.Call(environ, start)
}

// A test runs the application and looks at what came of it. It fails by itself
// when the application complained on wsgi.errors or broke the contract.
func ExampleDo() {
	testGreeting := func(t *testing.T) {
		req := wsgitest.NewRequest("POST", "/greet").Form(url.Values{"name": {"Ada"}})
		res := wsgitest.Do(t, wsgi.AppFunc(greet), req)
		if res.Code != 200 || res.Text() != "Hello, Ada!" {
			t.Errorf("got %s %q", res.Status, res.Text())
		}
	}
	_ = testGreeting // "go test" runs it when it is a function named TestGreeting
}

func ExampleRecord() {
	res := wsgitest.Record(wsgi.AppFunc(greet), wsgitest.NewRequest("POST", "/greet").
		Form(url.Values{"name": {"Ada"}}))
	fmt.Println(res.Status)
	fmt.Println(res.Headers.Get("Content-Type"))
	fmt.Printf("%q in %d blocks, closed %d time\n", res.Text(), len(res.Blocks), res.Closes)
	// Output:
	// 200 OK
	// text/plain; charset=utf-8
	// "Hello, Ada!" in 3 blocks, closed 1 time
}

// What breaks the contract is recorded as the client would have seen it, with
// what the operator is told.
func ExampleRecord_fault() {
	app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		headers := wsgi.Headers{{Name: "Content-Length", Value: "100"}}
		if _, err := start("200 OK", headers, nil); err != nil {
			return nil, err
		}
		return wsgi.Strings("too short"), nil
	})
	res := wsgitest.Record(app, wsgitest.NewRequest("GET", "/"))
	fmt.Printf("%s %q\n", res.Status, res.Text())
	fmt.Println(res.Fault)
	// Output:
	// 200 OK "too short"
	// response cut: wsgi: the body has 9 bytes, expected the 100 that Content-Length declares (LEN-04)
}

func ExampleRequest() {
	req := &wsgitest.Request{
		Target:     "/shop/caf%C3%A9?page=2",
		ScriptName: "/shop",
		RemoteAddr: "203.0.113.9:50123",
		Extra:      map[string]any{"REMOTE_USER": "ada"},
	}
	environ := req.Environ()
	for _, key := range []string{"SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR", "REMOTE_USER"} {
		fmt.Println(key, environ.Var(key))
	}
	// Output:
	// SCRIPT_NAME /shop
	// PATH_INFO /café
	// QUERY_STRING page=2
	// REMOTE_ADDR 203.0.113.9
	// REMOTE_USER ada
}

// An environ is enough to call an application by hand.
func ExampleRequest_Environ() {
	environ := new(wsgitest.Request).Environ()
	start := func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
		fmt.Println(status)
		return nil, nil
	}
	body, err := greet(environ, start)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer body.Close()
	for block, err := range body.Blocks {
		fmt.Printf("%q %v\n", block, err)
	}
	// Output:
	// 200 OK
	// "Hello, " <nil>
	// "" <nil>
	// "!" <nil>
}

func ExampleRequest_Multipart() {
	upload := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		mediaType, _, _ := strings.Cut(environ.Var("CONTENT_TYPE"), ";")
		return wsgi.Response{Status: "201 Created", Body: wsgi.Strings(mediaType)}.Call(environ, start)
	})
	req := wsgitest.NewRequest("POST", "/photos").Multipart(
		url.Values{"title": {"Bud"}},
		wsgitest.File{Field: "photo", Name: "bud.gif", Type: "image/gif", Content: []byte("GIF89a")},
	)
	res := wsgitest.Record(upload, req)
	fmt.Println(res.Status, res.Text())
	// Output:
	// 201 Created multipart/form-data
}

func ExampleResponse_JSON() {
	sum := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		var numbers []int
		if err := json.NewDecoder(environ.Input()).Decode(&numbers); err != nil {
			return wsgi.Response{Status: "400 Bad Request"}.Call(environ, start)
		}
		total := 0
		for _, n := range numbers {
			total += n
		}
		answer, err := json.Marshal(map[string]int{"sum": total})
		if err != nil {
			return nil, err
		}
		return wsgi.Response{
			Status:  "200 OK",
			Headers: wsgi.Headers{{Name: "Content-Type", Value: "application/json"}},
			Body:    wsgi.Block(answer),
		}.Call(environ, start)
	})
	var answer struct{ Sum int }
	res := wsgitest.Record(sum, wsgitest.NewRequest("POST", "/").JSON([]int{1, 2, 3}))
	if err := res.JSON(&answer); err != nil {
		fmt.Println(err)
	}
	fmt.Println(answer.Sum)
	// Output: 6
}

// A Client keeps the cookie of a login and follows the redirect after it.
func ExampleClient() {
	shop := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		switch {
		case environ.Var("PATH_INFO") == "/login":
			return wsgi.Response{Status: "303 See Other", Headers: wsgi.Headers{
				{Name: "Set-Cookie", Value: "user=ada; Path=/"},
				{Name: "Location", Value: "/account"},
			}}.Call(environ, start)
		case environ.Var("HTTP_COOKIE") == "user=ada":
			return wsgi.Response{Status: "200 OK", Body: wsgi.Strings("welcome back")}.Call(environ, start)
		}
		return wsgi.Response{Status: "403 Forbidden"}.Call(environ, start)
	})
	client := wsgitest.NewClient(nil, shop) // in a test: NewClient(t, shop)
	fmt.Println(client.Get("/account").Status)
	res := client.PostForm("/login", url.Values{"user": {"ada"}})
	fmt.Println(res.History[0].Status)
	fmt.Println(res.Request.Method, res.Request.Target, res.Text())
	// Output:
	// 403 Forbidden
	// 303 See Other
	// GET /account welcome back
}
