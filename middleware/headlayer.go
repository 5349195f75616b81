package middleware

import (
	"slices"

	"github.com/gowsgi/gowsgi/wsgi"
)

// headLayer is what a middleware does that changes the head of a response, and leaves
// the body alone.
type headLayer struct {
	// head changes a head on its way to the server. The environ is that of the
	// request, as the application has left it.
	head func(environ *wsgi.Environ, status string, headers headList) (string, headList)

	// room is how many headers it adds as a rule.
	room int

	// enter, unless it is nil, looks at the request before the application does. It
	// returns what head will want to know of it, and an application that answers in
	// the place of the one inside, nil for none.
	enter func(environ *wsgi.Environ) (came string, instead wsgi.Application)
}

// headList is the list of headers of one response, on its way through the layers.
type headList struct {
	wsgi.Headers

	// fresh tells that a layer has made the list, and so that the next one may change
	// it. An application may keep one list for all its responses.
	fresh bool
	room  int // for how many more headers there is to be room in a copy

	came string // what the enter of one of the layers has returned
}

// own returns a list that may be changed, with room for so many headers more.
func (l headList) own(more int) headList {
	if !l.fresh {
		l.Headers = append(make(wsgi.Headers, 0, len(l.Headers)+max(more, l.room)), l.Headers...)
		l.fresh = true
	}
	return l
}

// onHead is the middleware of a layer.
func onHead(layer headLayer) wsgi.Middleware {
	return func(next wsgi.Application) wsgi.Application {
		inner, ok := next.(*headLayers)
		if !ok || layer.enter != nil && inner.enters >= 0 {
			return newHeadLayers([]headLayer{layer}, next)
		}
		return newHeadLayers(append([]headLayer{layer}, inner.layers...), inner.next)
	}
}

// headLayers are one layer, or some that follow each other, around an application. In
// a stack several of them do, and together they make one start_response and one list
// of headers, where each would make its own.
type headLayers struct {
	layers []headLayer // the outermost first
	enters int         // the one that has an enter, -1 for none
	room   int         // of all of them
	next   wsgi.Application
}

func newHeadLayers(layers []headLayer, next wsgi.Application) *headLayers {
	a := &headLayers{layers: layers, enters: -1, next: next}
	for i, layer := range layers {
		a.room += layer.room
		if layer.enter != nil {
			a.enters = i
		}
	}
	return a
}

func (a *headLayers) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	came, instead := a.enter(environ)
	if instead != nil {
		return newHeadLayers(a.layers[:a.enters], instead).Call(environ, start)
	}
	return a.next.Call(environ, func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
		list := headList{Headers: headers, room: a.room, came: came}
		for _, layer := range slices.Backward(a.layers) {
			status, list = layer.head(environ, status, list)
		}
		return start(status, list.Headers, excInfo)
	})
}

// enter asks the layer that has an enter.
func (a *headLayers) enter(environ *wsgi.Environ) (came string, instead wsgi.Application) {
	if a.enters < 0 {
		return "", nil
	}
	return a.layers[a.enters].enter(environ)
}
