package bridge

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"
)

// lastWords is how long after its end a process may still be heard.
const lastWords = 250 * time.Millisecond

// accept passes on the connections of the process.
func (a *App) accept() {
	for {
		nc, err := a.l.Accept()
		if err != nil {
			return
		}
		go func() {
			c := newConn(nc)
			nc.SetReadDeadline(time.Now().Add(greeting))
			f, err := c.receive()
			nc.SetReadDeadline(time.Time{})
			var token, what string
			args, _ := f.value.(Tuple)
			if err != nil || f.kind != frameLane || !scan(args, &token, &what) || subtle.ConstantTimeCompare([]byte(token), []byte(a.token)) != 1 {
				nc.Close()
				return
			}
			a.mu.Lock()
			closed := a.closed
			a.conns[nc] = true
			a.mu.Unlock()
			if closed {
				nc.Close()
				return
			}
			select {
			case a.waiting <- c:
			case <-a.exited:
				select {
				case a.waiting <- c:
				case <-time.After(2 * lastWords):
					nc.Close()
				}
			case <-time.After(greeting): // nobody waits any more
				a.drop(c)
			}
		}()
	}
}

// lane returns a connection to a thread that is free, and starts one if need
// be. It waits when there are enough.
func (a *App) lane(ctx context.Context) (*conn, error) {
	select {
	case a.free <- true:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-a.exited:
		return nil, errExit
	}
	a.mu.Lock()
	if n := len(a.idle); n > 0 {
		c := a.idle[n-1]
		a.idle = a.idle[:n-1]
		a.mu.Unlock()
		return c, nil
	}
	err := a.control.send(frameCall, "lane")
	a.mu.Unlock()
	if err == nil {
		select {
		case c := <-a.waiting:
			return c, nil
		case <-ctx.Done():
			err = ctx.Err()
		case <-a.exited:
			err = errExit
		}
	}
	<-a.free
	return nil, err
}

var errExit = errors.New("bridge: the process of the application has ended")

// release gives a lane back.
func (a *App) release(c *conn) {
	a.mu.Lock()
	a.idle = append(a.idle, c)
	a.mu.Unlock()
	<-a.free
}

// spoil gives a lane up that cannot be used any more.
func (a *App) spoil(c *conn) {
	a.drop(c)
	<-a.free
}

func (a *App) drop(c *conn) {
	c.Close()
	a.mu.Lock()
	delete(a.conns, c.Conn)
	a.mu.Unlock()
}
