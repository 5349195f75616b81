// Package encodings has the choice of a content coding by Accept-Encoding (RFC 9110,
// 12.5.3), and the weights in that header and its like (12.4.2).
package encodings

import "strings"

// Weigh sets the weight of each of the offered codings by the value of Accept-Encoding:
// in thousandths, and 0 for one that the client does not want, or wants less than the
// content as it is. weights has the length of offered.
func Weigh(header string, offered []string, weights []int) {
	const unnamed = -1
	for i := range weights {
		weights[i] = unnamed
	}
	identity, others := 0, 0
	for header != "" {
		var element string
		element, header, _ = strings.Cut(header, ",")
		coding, parameters, _ := strings.Cut(element, ";")
		coding = strings.Trim(coding, " \t")
		if strings.EqualFold(coding, "x-gzip") { // RFC 9110, 8.4.1.3
			coding = "gzip"
		}
		q := Weight(parameters)
		switch {
		case coding == "*":
			others = q
		case strings.EqualFold(coding, "identity"):
			identity = q
		}
		for i, name := range offered {
			if strings.EqualFold(coding, name) {
				weights[i] = q
			}
		}
	}
	for i := range weights {
		if weights[i] == unnamed {
			weights[i] = others
		}
		if weights[i] < identity {
			weights[i] = 0
		}
	}
}

// Weight returns the weight that the parameters of an element tell, in thousandths: 1000
// where there are none. A malformed one is 0: what the client wants is then not known,
// and the content as it is suits every client.
func Weight(parameters string) int {
	parameters = strings.Trim(parameters, " \t")
	if parameters == "" {
		return 1000
	}
	name, value, _ := strings.Cut(parameters, "=")
	if !strings.EqualFold(strings.TrimRight(name, " \t"), "q") {
		return 0
	}
	value = strings.TrimLeft(value, " \t")
	if value == "" || len(value) > len("0.999") || len(value) > 1 && value[1] != '.' || value[0] != '0' && value[0] != '1' {
		return 0
	}
	q, unit := int(value[0]-'0')*1000, 100
	for i := 2; i < len(value); i++ {
		if value[i] < '0' || value[i] > '9' {
			return 0
		}
		q += int(value[i]-'0') * unit
		unit /= 10
	}
	if q > 1000 {
		return 0
	}
	return q
}
