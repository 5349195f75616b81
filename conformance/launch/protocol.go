package launch

import "fmt"

// asker returns how to ask a server that speaks the given protocol.
func asker(protocol string) (ask, error) {
	switch protocol {
	case "", "http":
		return askHTTP, nil
	}
	return nil, fmt.Errorf("protocol %q: expected http", protocol)
}
