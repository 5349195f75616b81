// Package browsertest looks at what gowsgi serve serves as a browser does. Its
// tests build the command, start it on a free port, read the HTML of every
// page, and open the pages in Chromium without a window.
//
// It is a module of its own, for it needs an HTML parser and a driver for
// Chromium, which nobody who uses gowsgi needs:
//
//	go test ./...
//
// Where there is no Chromium the tests that need it are skipped;
// GOWSGI_BROWSER=require makes that a failure. The screenshots that some of
// them take are kept with
//
//	go test -artifacts -outputdir DIR ./...
package browsertest
