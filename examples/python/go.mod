module github.com/gowsgi/gowsgi/examples/python

go 1.26
