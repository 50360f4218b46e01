package server

import (
	"io"
	"os"
	"strings"

	"github.com/berthdev/berth"
)

// maxBanner bounds the text that terminals begin with, in bytes.
const maxBanner = 16 << 10

// banner is the text that terminals in workspaces begin with.
func (o Options) banner() (string, error) {
	path, isFile := strings.CutPrefix(o.SSHBanner, "@")
	if !isFile {
		if len(o.SSHBanner) > maxBanner {
			return "", berth.Errorf(berth.Invalid, "--ssh-banner is too long: at most %d bytes", maxBanner)
		}
		return o.SSHBanner, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", berth.Errorf(berth.Invalid, "--ssh-banner @%s: the file cannot be read: %v", path, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxBanner+1))
	if err != nil || len(text) > maxBanner {
		return "", berth.Errorf(berth.Invalid, "--ssh-banner @%s: give a text file of at most %d bytes", path, maxBanner)
	}
	return string(text), nil
}

// bannerNow is banner for an agent that starts: one that cannot be read any more
// keeps no workspace from starting.
func (s *Server) bannerNow() string {
	text, err := s.o.banner()
	if err != nil {
		s.log.Warn("terminals begin without a banner", "error", err)
	}
	return text
}
