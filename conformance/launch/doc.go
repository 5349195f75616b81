// Package launch starts servers as commands, puts the probes of package
// conformance into them, and stops them again.
//
// [Start] runs any command that serves a Python application over HTTP, and has
// it serve an application of Go by way of package bridge:
//
//	s, err := launch.Start(ctx, launch.Command{
//		Args: []string{"gunicorn", "-b", "{addr}", "{module}:{app}"},
//	}, app)
//
// It returns when the server answers, not when its port is open, and an error
// has the end of what the command printed. [Server.Stop] ends the command and
// whatever it has started. Nothing stays behind: a command is a process group
// of its own, which gets SIGTERM, some grace, and SIGKILL; where the system
// allows, it also ends when the process that started it is killed.
//
// [Check] makes a conformance check of a server that it knows by name,
// [CheckCommand] of any server command, and [CheckApplication] of a Python
// application. They are what gowsgi check is made of.
package launch
