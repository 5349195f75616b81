module github.com/gowsgi/gowsgi/contrib/compress

go 1.26

require (
	github.com/andybalholm/brotli v1.3.0
	github.com/gowsgi/gowsgi v0.0.0
	github.com/klauspost/compress v1.20.4
)

require github.com/google/go-cmp v0.7.0 // indirect

replace github.com/gowsgi/gowsgi => ../../
