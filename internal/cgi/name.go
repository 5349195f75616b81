package cgi

// Name returns the variable in which a web server passes on the request header
// of the given name: CONTENT_TYPE, CONTENT_LENGTH or HTTP_ and the name in
// upper case with underscores for hyphens (RFC 3875, 4.1.18). ok is false for
// a name with any other characters than letters, digits and hyphens: its
// variable could be another header's (CGI-24).
func Name(header string) (name string, ok bool) {
	b := make([]byte, 0, len("HTTP_")+len(header))
	b = append(b, "HTTP_"...)
	for i := 0; i < len(header); i++ {
		c := header[i]
		switch {
		case c == '-':
			c = '_'
		case 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		case 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		default:
			return "", false
		}
		b = append(b, c)
	}
	switch name = string(b); name {
	case "HTTP_":
		return "", false
	case "HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH":
		return name[len("HTTP_"):], true
	}
	return name, true
}
