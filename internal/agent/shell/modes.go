package shell

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Terminal modes as SSH encodes them (RFC 4254, section 8): a number, then a
// 32-bit argument; 0 ends the list.
const (
	modeEnd              = 0
	modeLastWithArgument = 159
)

// modeChars are indices into the terminal's special characters.
var modeChars = map[byte]int{
	1: unix.VINTR, 2: unix.VQUIT, 3: unix.VERASE, 4: unix.VKILL, 5: unix.VEOF, 6: unix.VEOL, 7: unix.VEOL2,
	8: unix.VSTART, 9: unix.VSTOP, 10: unix.VSUSP, 12: unix.VREPRINT, 13: unix.VWERASE, 14: unix.VLNEXT,
	16: unix.VSWTC, 18: unix.VDISCARD,
}

// modeFlags are the bits of the terminal's four flag words.
var (
	modeInput = map[byte]uint32{
		30: unix.IGNPAR, 31: unix.PARMRK, 32: unix.INPCK, 33: unix.ISTRIP, 34: unix.INLCR, 35: unix.IGNCR,
		36: unix.ICRNL, 37: unix.IUCLC, 38: unix.IXON, 39: unix.IXANY, 40: unix.IXOFF, 41: unix.IMAXBEL, 42: unix.IUTF8,
	}
	modeLocal = map[byte]uint32{
		50: unix.ISIG, 51: unix.ICANON, 52: unix.XCASE, 53: unix.ECHO, 54: unix.ECHOE, 55: unix.ECHOK,
		56: unix.ECHONL, 57: unix.NOFLSH, 58: unix.TOSTOP, 59: unix.IEXTEN, 60: unix.ECHOCTL, 61: unix.ECHOKE, 62: unix.PENDIN,
	}
	modeOutput = map[byte]uint32{
		70: unix.OPOST, 71: unix.OLCUC, 72: unix.ONLCR, 73: unix.OCRNL, 74: unix.ONOCR, 75: unix.ONLRET,
	}
	modeControl = map[byte]uint32{92: unix.PARENB, 93: unix.PARODD}
	modeSizes   = map[byte]uint32{90: unix.CS7, 91: unix.CS8}
)

// setModes applies the client's terminal modes. Modes that are not known are
// left out.
func setModes(tty *os.File, modes []byte) error {
	raw, err := tty.SyscallConn()
	if err != nil {
		return err
	}
	var done error
	err = raw.Control(func(fd uintptr) {
		var t *unix.Termios
		if t, done = unix.IoctlGetTermios(int(fd), unix.TCGETS); done != nil {
			return
		}
		if done = applyModes(t, modes); done == nil {
			done = unix.IoctlSetTermios(int(fd), unix.TCSETS, t)
		}
	})
	if err == nil {
		err = done
	}
	return err
}

// applyModes changes t as modes say.
func applyModes(t *unix.Termios, modes []byte) error {
	for len(modes) > 0 && modes[0] != modeEnd && modes[0] <= modeLastWithArgument {
		if len(modes) < 5 {
			return fmt.Errorf("terminal modes end within mode %d", modes[0])
		}
		mode, value := modes[0], binary.BigEndian.Uint32(modes[1:])
		modes = modes[5:]
		if i, ok := modeChars[mode]; ok {
			// 255 means that the character is off, which Linux writes as 0.
			t.Cc[i] = byte(value)
			if value == 255 {
				t.Cc[i] = 0
			}
		}
		flag(&t.Iflag, modeInput[mode], value)
		flag(&t.Lflag, modeLocal[mode], value)
		flag(&t.Oflag, modeOutput[mode], value)
		flag(&t.Cflag, modeControl[mode], value)
		if size, ok := modeSizes[mode]; ok && value != 0 {
			t.Cflag = t.Cflag&^unix.CSIZE | size
		}
	}
	return nil
}

func flag(word *uint32, bits, value uint32) {
	*word &^= bits
	if value != 0 {
		*word |= bits
	}
}
