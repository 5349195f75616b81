package report

import (
	"fmt"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
)

// sentence says in words what r comes to.
func sentence(r conformance.Report) string {
	tallies := count(r)
	var broken, kept []string
	otherwise := 0
	for _, level := range []string{"MUST", "SHOULD", "MAY"} {
		t := tallies[level]
		otherwise += t.otherwise
		switch {
		case t.looked() == 0:
		case t.broken > 0:
			broken = append(broken, fmt.Sprintf("%d of %d %s rules", t.broken, t.looked(), level))
		case t.otherwise > 0:
			kept = append(kept, fmt.Sprintf("%d of %d %s rules", t.kept, t.looked(), level))
		default:
			kept = append(kept, fmt.Sprintf("all %d %s rules", t.looked(), level))
		}
	}
	var text string
	switch {
	case broken == nil && kept == nil:
		return "No rule was looked at."
	case broken == nil:
		text = capital(and(kept)) + " are kept."
	case kept == nil:
		text = capital(and(broken)) + " are broken."
	default:
		text = capital(and(broken)) + " are broken; " + and(kept) + " are kept."
	}
	switch otherwise {
	case 0:
	case 1:
		text += " 1 MUST rule is read in another way than by this suite."
	default:
		text += fmt.Sprintf(" %d MUST rules are read in another way than by this suite.", otherwise)
	}
	return text
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// and joins items as a sentence does.
func and(items []string) string {
	if n := len(items); n > 1 {
		return strings.Join(items[:n-1], ", ") + " and " + items[n-1]
	}
	return items[0]
}

func were(n int, what string) string {
	if n == 1 {
		return "1 " + what + " was"
	}
	return fmt.Sprintf("%d %ss were", n, what)
}
