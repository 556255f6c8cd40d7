package play

import "fmt"

// pushed says how many users and groups there were, such as "1 user and 5 groups".
func pushed(users, groups int) string {
	return counted(users, "user") + " and " + counted(groups, "group")
}

func counted(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
