// Package account finds the users and groups of the system.
package account

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
)

// Find returns the numbers of a user and of a group, each by name or number. Without
// a group it is the user's, and what is "" otherwise is that of this process.
func Find(userName, groupName string) (uid, gid int, err error) {
	uid, gid = os.Getuid(), os.Getgid()
	if userName != "" {
		u, err := user.Lookup(userName)
		if err != nil {
			if u, err = user.LookupId(userName); err != nil {
				return 0, 0, fmt.Errorf("user %q is not known", userName)
			}
		}
		uid, _ = strconv.Atoi(u.Uid)
		gid, _ = strconv.Atoi(u.Gid)
	}
	if groupName != "" {
		g, err := user.LookupGroup(groupName)
		if err != nil {
			if g, err = user.LookupGroupId(groupName); err != nil {
				return 0, 0, fmt.Errorf("group %q is not known", groupName)
			}
		}
		gid, _ = strconv.Atoi(g.Gid)
	}
	return uid, gid, nil
}
