package demo

import (
	"os"
	"strconv"

	"github.com/gowsgi/gowsgi/wsgi"
)

// writeDownload writes the file that sendFile sends and returns its path. An
// embedded file is not one that the operating system could send by itself.
func writeDownload() (path string, err error) {
	file, err := os.CreateTemp("", "gowsgi-demo-*.go")
	if err != nil {
		return "", err
	}
	_, err = file.WriteString(helloSource)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}

// sendFile hands an open file to the server, which closes it.
func (d *Demo) sendFile(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	file, err := os.Open(d.download)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	headers := wsgi.Headers{
		{Name: "Content-Type", Value: "text/plain; charset=utf-8"},
		{Name: "Content-Length", Value: strconv.FormatInt(info.Size(), 10)},
	}
	headers.AddParams("Content-Disposition", "attachment", wsgi.Header{Name: "filename", Value: "hello.go"})
	if _, err := startResponse("200 OK", headers, nil); err != nil {
		file.Close()
		return nil, err
	}
	return environ.FileWrapper()(file, 0), nil
}
