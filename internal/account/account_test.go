//go:build unix

package account

import (
	"os"
	"strconv"
	"testing"
)

func TestFind(t *testing.T) {
	me, mine := os.Getuid(), os.Getgid()
	for _, test := range []struct {
		user, group string
		uid, gid    int
		wrong       string
	}{
		{"", "", me, mine, ""},
		{"root", "", 0, 0, ""},
		{"0", "0", 0, 0, ""},
		{"", strconv.Itoa(mine), me, mine, ""},
		{"nonesuch", "", 0, 0, `user "nonesuch" is not known`},
		{"root", "nonesuch", 0, 0, `group "nonesuch" is not known`},
	} {
		uid, gid, err := Find(test.user, test.group)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if uid != test.uid || gid != test.gid || text != test.wrong {
			t.Errorf("Find(%q, %q) returned %d, %d, %v, expected %d, %d, %s", test.user, test.group, uid, gid, err, test.uid, test.gid, test.wrong)
		}
	}
}
