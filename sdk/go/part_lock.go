//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package meshapi

import (
	"os"
	"syscall"
)

// noFollow keeps a link that somebody has put in the place of a part from being followed.
const noFollow = syscall.O_NOFOLLOW

// lock takes a part for this process alone; the lock dies with the process.
func lock(file *os.File) bool {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
