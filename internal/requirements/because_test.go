package requirements_test

// because has the requirements that bind a server and have no test, with the
// reason. A missing test is not a reason.
var because = map[string]string{}
