module github.com/gowsgi/gowsgi/contrib/compress

go 1.26

require (
	github.com/andybalholm/brotli v1.3.0
	github.com/gowsgi/gowsgi v0.0.0
	github.com/klauspost/compress v1.20.4
)

replace github.com/gowsgi/gowsgi => ../../
