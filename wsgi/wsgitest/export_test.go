package wsgitest

// LiveWithin is Live with another bound for a Stream and a server that wait for
// each other.
var LiveWithin = live
