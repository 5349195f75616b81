// Package python has applications of Python's frameworks, and tests that use
// them as a browser would, through gowsgi serve:
//
//	gowsgi serve flask_app:app
//	gowsgi serve bottle_app:app
//	gowsgi serve falcon_app:app
//	gowsgi serve django_site:application --env DATABASE=site.sqlite3
//
// The framework has to be there for the interpreter that serve finds, or that
// --python names: that of Debian is /usr/bin/python3. Django wants its database made
// first; see django_site.py.
package python
