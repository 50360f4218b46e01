package runner

import (
	"errors"
	"os"
	"sync"
)

// reserve is room on the disk that a keeper takes before anything happens, so
// that the end of its build can be written down though the disk has filled up
// since.
type reserve struct {
	path string
	once sync.Once
}

// reserveSize has room for the last state and the result, which holds it again,
// in base64.
func reserveSize(state int) int { return 4<<20 + 8*state }

// makeReserve fails when the room is not there, which is the moment to refuse a
// build: nothing has been changed yet.
func makeReserve(path string, size int) (*reserve, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if err = allocate(f, size); errors.Is(err, errors.ErrUnsupported) {
		err = writeZeros(f, size)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(path)
		return nil, err
	}
	return &reserve{path: path}, nil
}

// writeZeros writes them, since a hole in a file holds no room.
func writeZeros(f *os.File, size int) (err error) {
	zeros := make([]byte, min(size, 1<<20))
	for size > 0 && err == nil {
		var n int
		n, err = f.Write(zeros[:min(size, len(zeros))])
		size -= n
	}
	return err
}

// Free gives the room back to whoever writes next. It tells whether this call
// did, so that a caller knows to try again.
func (r *reserve) Free() bool {
	freed := false
	r.once.Do(func() { freed = os.Remove(r.path) == nil })
	return freed
}
