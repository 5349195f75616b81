module github.com/gowsgi/gowsgi/bench

go 1.26

require (
	github.com/go-chi/chi/v5 v5.2.3
	github.com/gowsgi/gowsgi v0.0.0
)

replace github.com/gowsgi/gowsgi => ../
