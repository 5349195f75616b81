module github.com/gowsgi/gowsgi/bench

go 1.26

require (
	github.com/go-chi/chi/v5 v5.5.0
	github.com/gowsgi/gowsgi v0.0.0
)

require github.com/go-chi/cors v1.2.2 // indirect

replace github.com/gowsgi/gowsgi => ../
