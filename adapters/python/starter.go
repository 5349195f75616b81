package python

import "runtime"

// starter starts processes from one thread, which lives as long as they are to:
// the kernel takes the end of the thread that started a process for the end of
// its parent.
type starter struct{ jobs chan func() }

func newStarter() *starter {
	s := &starter{jobs: make(chan func())}
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
		for job := range s.jobs {
			job()
		}
	}()
	return s
}

func (s *starter) do(start func() error) (err error) {
	done := make(chan struct{})
	s.jobs <- func() {
		err = start()
		close(done)
	}
	<-done
	return err
}

func (s *starter) close() { close(s.jobs) }
