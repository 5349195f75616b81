package wsgi

import "fmt"

// ContractError says which rule of the contract was broken, and how.
//
// Rule is an id of the requirements catalogue, such as "START-19"; Detail says
// what was expected and what came. errors.Is matches a ContractError against
// one that has the same Rule and no Detail:
//
//	errors.Is(err, &wsgi.ContractError{Rule: "START-19"})
type ContractError struct{ Rule, Detail string }

// Error returns the detail, and the rule in parentheses.
func (e *ContractError) Error() string {
	if e.Detail == "" {
		return "wsgi: rule " + e.Rule
	}
	return "wsgi: " + e.Detail + " (" + e.Rule + ")"
}

// Is reports whether target is a ContractError with the rule of e and, when
// target has a Detail, the same Detail.
func (e *ContractError) Is(target error) bool {
	t, ok := target.(*ContractError)
	return ok && t.Rule == e.Rule && (t.Detail == "" || t.Detail == e.Detail)
}

func broken(rule, format string, args ...any) error {
	return &ContractError{Rule: rule, Detail: fmt.Sprintf(format, args...)}
}

// PanicError is a recovered panic as an error: what a server, or a middleware
// that recovers, passes on in place of the panic.
type PanicError struct {
	Value any    // what was passed to panic
	Stack []byte // the goroutine's stack at the panic, as debug.Stack formats it
}

// Error returns the panic's value as text, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the panic's value when it is an error, so that errors.Is and
// errors.As see through the panic.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
