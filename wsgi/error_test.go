package wsgi_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

func TestContractError(t *testing.T) {
	full := &wsgi.ContractError{Rule: "START-19", Detail: "called twice"}
	tests := []struct {
		name   string
		err    error
		target error
		want   bool
		reason string
	}{
		{"rule alone", full, &wsgi.ContractError{Rule: "START-19"}, true, "a target without a detail stands for its rule"},
		{"rule and detail", full, &wsgi.ContractError{Rule: "START-19", Detail: "called twice"}, true, ""},
		{"other detail", full, &wsgi.ContractError{Rule: "START-19", Detail: "other"}, false, ""},
		{"other rule", full, &wsgi.ContractError{Rule: "START-1"}, false, ""},
		{"the empty rule", full, &wsgi.ContractError{}, false, "it is no wildcard"},
		{"wrapped", fmt.Errorf("call: %w", full), &wsgi.ContractError{Rule: "START-19"}, true, ""},
		{"joined", errors.Join(io.EOF, full), &wsgi.ContractError{Rule: "START-19"}, true, ""},
		{"in a panic", &wsgi.PanicError{Value: full}, &wsgi.ContractError{Rule: "START-19"}, true, ""},
		{"an error of another type", full, io.EOF, false, ""},
		{"an error without a detail", &wsgi.ContractError{Rule: "START-19"}, full, false, "it does not say that much"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := errors.Is(tt.err, tt.target); got != tt.want {
				t.Errorf("errors.Is(%v, %v) = %v, want %v; %s", tt.err, tt.target, got, tt.want, tt.reason)
			}
		})
	}
	t.Run("As", func(t *testing.T) {
		var got *wsgi.ContractError
		if !errors.As(fmt.Errorf("call: %w", full), &got) || got != full {
			t.Errorf("errors.As found %v", got)
		}
	})
	t.Run("text", func(t *testing.T) {
		if got, want := full.Error(), "wsgi: called twice (START-19)"; got != want {
			t.Errorf("Error() = %q, want %q", got, want)
		}
		if got, want := (&wsgi.ContractError{Rule: "START-19"}).Error(), "wsgi: rule START-19"; got != want {
			t.Errorf("Error() = %q, want %q", got, want)
		}
	})
}

func TestPanicError(t *testing.T) {
	inner := fmt.Errorf("reading: %w", io.ErrUnexpectedEOF)
	tests := []struct {
		name  string
		value any
		text  string
		is    bool
	}{
		{"error", inner, "panic: reading: unexpected EOF", true},
		{"text", "boom", "panic: boom", false},
		{"number", 42, "panic: 42", false},
		{"nil", nil, "panic: <nil>", false},
	}
	for _, tt := range tests {
		t.Run("ERR-13/"+tt.name, func(t *testing.T) {
			err := fmt.Errorf("call: %w", &wsgi.PanicError{Value: tt.value, Stack: []byte("main.go:1")})
			if got := errors.Is(err, io.ErrUnexpectedEOF); got != tt.is {
				t.Errorf("errors.Is through the panic = %v, want %v", got, tt.is)
			}
			var p *wsgi.PanicError
			if !errors.As(err, &p) || p.Value != tt.value {
				t.Fatalf("errors.As found %v", p)
			}
			if p.Error() != tt.text || strings.Contains(p.Error(), "main.go") {
				t.Errorf("Error() = %q, want %q without the stack", p.Error(), tt.text)
			}
		})
	}
}
