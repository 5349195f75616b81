package main

import (
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// expositionType is the media type of an exposition.
const expositionType = "text/plain; version=0.0.4; charset=utf-8"

// exposition is metrics in the text format of Prometheus, version 0.0.4.
//
// https://prometheus.io/docs/instrumenting/exposition_formats/
type exposition struct {
	strings.Builder
	name string // of the family
}

// family begins a metric. The samples that follow are its own.
func (e *exposition) family(name, kind, help string) {
	e.name = name
	e.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n")
}

// sample writes a value, with labels that are names and values in turn.
func (e *exposition) sample(value float64, labels ...string) { e.part("", value, labels...) }

// escape is how the value of a label may be anything.
var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// part writes a value of a metric that has several, by the end of their names.
func (e *exposition) part(suffix string, value float64, labels ...string) {
	e.WriteString(e.name + suffix)
	for i := 0; i < len(labels); i += 2 {
		e.WriteString(separator(i) + labels[i] + `="` + escape.Replace(labels[i+1]) + `"`)
	}
	if len(labels) > 0 {
		e.WriteString("}")
	}
	e.WriteString(" " + number64(value) + "\n")
}

func separator(i int) string {
	if i == 0 {
		return "{"
	}
	return ","
}

func number64(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// sorted iterates over a map in the order of its keys: a page that is always in the
// same order can be compared.
func sorted[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}
