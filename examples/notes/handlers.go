package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/gowsgi/gowsgi/wsgi"
)

// index shows the notes, all or those that were looked for.
func (s *site) index(v *visit) (wsgi.Iterable, error) {
	if path := v.environ.Var("PATH_INFO"); path != "/" && path != "" {
		return nil, ErrNotFound
	}
	query, err := url.ParseQuery(v.environ.Var("QUERY_STRING"))
	if err != nil {
		return nil, badForm(err)
	}
	search := query.Get("q")
	notes, err := s.store.Notes(v.environ.Context(), v.user, search)
	if err != nil {
		return nil, err
	}
	return v.show("200 OK", "index", view{Title: "Your notes", Data: map[string]any{"Notes": notes, "Search": search}})
}

func (s *site) login(v *visit) (wsgi.Iterable, error) {
	page := view{Title: "Log in", Data: ""}
	if !v.posted() {
		return v.show("200 OK", "login", page)
	}
	f, err := v.form()
	if err != nil {
		return nil, err
	}
	name := f.text("name")
	id, err := s.store.Login(v.environ.Context(), name, f.Get("password"))
	if errors.Is(err, ErrNotFound) {
		page.Problem, page.Data = "The name and the password do not belong together.", name
		return v.problem("login", page)
	}
	if err != nil {
		return nil, err
	}
	return v.enter(id, name, "Welcome back, "+name+".")
}

func (s *site) signUp(v *visit) (wsgi.Iterable, error) {
	page := view{Title: "Sign up", Data: ""}
	if !v.posted() {
		return v.show("200 OK", "signup", page)
	}
	f, err := v.form()
	if err != nil {
		return nil, err
	}
	name, password := f.text("name"), f.Get("password")
	page.Data = name
	switch {
	case !within(name, 1, 100):
		page.Problem = "A name has from 1 to 100 characters."
	case !within(password, 8, 200):
		page.Problem = "A password has from 8 to 200 characters."
	}
	if page.Problem != "" {
		return v.problem("signup", page)
	}
	id, err := s.store.AddUser(v.environ.Context(), name, password)
	if errors.Is(err, ErrTaken) {
		page.Problem = "Somebody has this name already."
		return v.problem("signup", page)
	}
	if err != nil {
		return nil, err
	}
	return v.enter(id, name, "Welcome, "+name+". Write your first note.")
}

// within reports whether text has so many characters, and not bytes.
func within(text string, least, most int) bool {
	n := utf8.RuneCountInString(text)
	return least <= n && n <= most
}

// enter begins the session of a user who was just made sure of, under a new id:
// whoever knew the old one is left behind.
func (v *visit) enter(id int64, name, greeting string) (wsgi.Iterable, error) {
	err := errors.Join(v.session.Renew(), v.session.Set("user", strconv.FormatInt(id, 10)), v.session.Set("name", name), v.session.AddFlash(greeting))
	if err != nil {
		return nil, err
	}
	return v.redirect("/")
}

func (s *site) logOut(v *visit) (wsgi.Iterable, error) {
	if err := v.session.Destroy(); err != nil {
		return nil, err
	}
	return v.redirect("/login")
}

// note shows a note, and takes files for it.
func (s *site) note(v *visit) (wsgi.Iterable, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	n, err := s.store.Note(v.environ.Context(), v.user, id)
	if err != nil {
		return nil, err
	}
	if !v.posted() {
		return v.show("200 OK", "note", view{Title: n.Title, Data: n})
	}
	f, err := v.form()
	if err != nil {
		return nil, err
	}
	if len(f.files) == 0 {
		return v.problem("note", view{Title: n.Title, Data: n, Problem: "Choose a file first."})
	}
	n.Files = f.files
	if _, err := s.store.Save(v.environ.Context(), v.user, n); err != nil {
		return nil, err
	}
	return v.said(fmt.Sprintf("/note/%d", id), "The file is kept.")
}

// edit makes a note, or changes one.
func (s *site) edit(v *visit) (wsgi.Iterable, error) {
	var n Note
	title := "A new note"
	if v.environ.Var("SCRIPT_NAME") == "/edit" {
		id, err := v.id()
		if err != nil {
			return nil, err
		}
		if n, err = s.store.Note(v.environ.Context(), v.user, id); err != nil {
			return nil, err
		}
		title = "Change the note"
	} else if v.environ.Var("PATH_INFO") != "" {
		return nil, ErrNotFound
	}
	if !v.posted() {
		return v.show("200 OK", "edit", view{Title: title, Data: n})
	}
	f, err := v.form()
	if err != nil {
		return nil, err
	}
	n.Title, n.Text, n.Changed, n.Files = f.text("title"), f.text("text"), time.Now(), f.files
	if !within(n.Title, 1, 200) {
		return v.problem("edit", view{Title: title, Data: n, Problem: "A title has from 1 to 200 characters."})
	}
	id, err := s.store.Save(v.environ.Context(), v.user, n)
	if err != nil {
		return nil, err
	}
	return v.said(fmt.Sprintf("/note/%d", id), "The note is kept.")
}

func (s *site) delete(v *visit) (wsgi.Iterable, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	if err := s.store.Delete(v.environ.Context(), v.user, id); err != nil {
		return nil, err
	}
	return v.said("/", "The note is gone.")
}

func (s *site) file(v *visit) (wsgi.Iterable, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	f, err := s.store.File(v.environ.Context(), v.user, id)
	if err != nil {
		return nil, err
	}
	return v.download(f)
}

// said leads to a page that will say text.
func (v *visit) said(path, text string) (wsgi.Iterable, error) {
	if err := v.session.AddFlash(text); err != nil {
		return nil, err
	}
	return v.redirect(path)
}
