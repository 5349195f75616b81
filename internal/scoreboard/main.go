// Command scoreboard checks our own servers and the Python servers that package
// launch knows, and writes what it finds as pages: doc/scoreboard.md,
// doc/scoreboard.html, and doc/scoreboard.json, the data of both.
//
//	go run ./internal/scoreboard -out doc
//	go run ./internal/scoreboard -check doc
//	go run ./internal/scoreboard -render doc
//
// With -check it changes nothing, and fails where a result is another one than
// on the page. With -render it checks nothing, and writes the pages anew from
// the data.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "scoreboard:", err)
		os.Exit(1)
	}
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, log io.Writer) error {
	flags := flag.NewFlagSet("scoreboard", flag.ContinueOnError)
	flags.SetOutput(log)
	out := flags.String("out", "", "check everything, and write the pages to this `folder`")
	check := flags.String("check", "", "check everything, and compare with the data in this `folder`")
	render := flags.String("render", "", "write the pages in this `folder` from the data in it")
	only := flags.String("only", "", "check only these subjects, `names` separated by commas; the others stay as they are")
	together := flags.Int("together", 1, "check `n` subjects at the same time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	modes := 0
	for _, folder := range []string{*out, *check, *render} {
		if folder != "" {
			modes++
		}
	}
	if modes != 1 || flags.NArg() > 0 {
		return errors.New("expected one of -out, -check and -render, with a folder")
	}
	if *together < 1 {
		return fmt.Errorf("expected -together to be 1 or more, got %d", *together)
	}
	if *render != "" {
		b, err := read(*render)
		if err != nil {
			return err
		}
		return b.write(*render)
	}
	chosen, err := choose(subjects(), *only)
	if err != nil {
		return err
	}
	now, err := measure(ctx, chosen, *together, log)
	if err != nil {
		return err
	}
	then, err := read(*out + *check)
	switch {
	case *out != "" && *only == "" && errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	}
	if *out != "" {
		now = now.settled(then)
		if *only != "" {
			now = then.with(now)
		}
		return now.write(*out)
	}
	if *only != "" {
		then = then.of(now)
	}
	return verdict(then, now, log)
}

// verdict tells log in what now differs from then. The error says whether it
// does.
func verdict(then, now board, log io.Writer) error {
	differences, notes := compare(then, now)
	for _, note := range notes {
		fmt.Fprintln(log, note)
	}
	for _, difference := range differences {
		fmt.Fprintln(log, difference)
	}
	if n := len(differences); n > 0 {
		return fmt.Errorf("%d differences to the page; if they are right, write it anew with -out", n)
	}
	return nil
}

// choose returns the subjects that only names, all if it is "".
func choose(all []subject, only string) ([]subject, error) {
	if only == "" {
		return all, nil
	}
	var chosen []subject
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(all, func(s subject) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no subject %q", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// measure checks the subjects, so many at the same time. Results hold on a busy
// machine, so that they may disturb each other. All of them have to be there: a
// page from which a server is missing would say nothing of why.
func measure(ctx context.Context, subjects []subject, together int, log io.Writer) (board, error) {
	reports, errs := make([]conformance.Report, len(subjects)), make([]error, len(subjects))
	var logs sync.Mutex
	var all sync.WaitGroup
	places := make(chan struct{}, together)
	for i, s := range subjects {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			begin := time.Now()
			r, err := s.check(ctx)
			r.Subject = s.name // what it is called on the page
			reports[i] = r
			logs.Lock()
			defer logs.Unlock()
			if err != nil {
				errs[i] = fmt.Errorf("%s: %w", s.name, err)
				fmt.Fprintf(log, "%s: %v\n", s.name, err)
				return // the others are told of as well
			}
			fmt.Fprintf(log, "%-20s %-12s %3d kept %3d broken %3d warnings %3d not looked at, in %.1f s\n", r.Subject, r.Version,
				r.Count(conformance.Pass), r.Count(conformance.Fail), r.Count(conformance.Warn), r.Count(conformance.Skip), time.Since(begin).Seconds())
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return board{}, err
	}
	b := board{System: system(), Started: make(map[string]string)}
	n := newNormaliser()
	for i, s := range subjects {
		b.Started[s.name] = s.started
		b.Reports = append(b.Reports, n.report(reports[i]))
	}
	return b, nil
}

// with returns b with the reports of c in place of its own of those subjects.
func (b board) with(c board) board {
	maps.Copy(b.Started, c.Started)
	for _, r := range c.Reports {
		i := slices.IndexFunc(b.Reports, func(old conformance.Report) bool { return old.Subject == r.Subject })
		if i < 0 {
			b.Reports = append(b.Reports, r)
		} else {
			b.Reports[i] = r
		}
	}
	return b
}

// of returns b with only the subjects that c has.
func (b board) of(c board) board {
	b.Reports = slices.DeleteFunc(slices.Clone(b.Reports), func(r conformance.Report) bool {
		return !slices.ContainsFunc(c.Reports, func(x conformance.Report) bool { return x.Subject == r.Subject })
	})
	return b
}
