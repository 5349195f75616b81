package conformance

import "github.com/gowsgi/gowsgi/wsgi"

// finder is an application that knows what it has done wrong in the language
// that it is written in: a Python application behind package bridge.
type finder interface{ Findings() []Finding }

// applicationPythonProbes tell what was found of a Python application while
// the other probes called it. They are the last.
var applicationPythonProbes = pythonFindings(
	"CALL-05", "CALL-06", "STR-02", "STR-03", "STR-05", "STR-09", "STR-11", "ENV-22", "INPUT-14", "INPUT-15",
	"LOG-09", "LOG-10", "LOG-14", "START-11", "START-27", "HDR-06", "HDR-08", "BODY-01", "BODY-07", "BODY-20",
)

// pythonFindings makes a probe of each rule.
func pythonFindings(rules ...string) (probes []probe[wsgi.Application]) {
	for _, rule := range rules {
		probes = append(probes, onApplication(rule, "objects of Python", func(c *caller) {
			app, ok := c.app.(finder)
			if !ok {
				c.skipf("the types of package wsgi see to it; a Python application can break it")
			}
			for _, f := range app.Findings() {
				if f.Rule.ID == rule {
					c.faultf("%s [%s]", f.Detail, f.Request)
				}
			}
		}))
	}
	return probes
}
