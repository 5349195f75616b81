// Package report shows to people, and to other programs, what a check of
// package conformance has found: as a table in a terminal, as JSON, as JUnit
// XML, as one page of HTML, and as Markdown.
//
// A conformance.Report holds ids, statuses and evidence. What a rule says, its
// group and its section of PEP 3333 come from conformance.Rules; a result whose
// id is not in the catalogue is shown all the same, at the end.
//
// The evidence of a result may hold any bytes, as a server under test has sent
// them. No function of this package lets them act: not on a terminal, not in a
// page, and not in a document.
package report
