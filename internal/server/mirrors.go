package server

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/berthdev/berth"
	"github.com/berthdev/berth/internal/terraform"
)

// pluginMirrors sorts the settings of mirrors into directories and addresses.
func pluginMirrors(given []string) (dirs, urls []string, err error) {
	for _, one := range given {
		if !strings.Contains(one, "://") {
			dir, err := mirrorDir("--plugin-mirror", one)
			if err != nil {
				return nil, nil, err
			}
			dirs = append(dirs, dir)
			continue
		}
		if u, err := url.Parse(one); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			return nil, nil, berth.Errorf(berth.Invalid, "--plugin-mirror %s: the address of a network mirror begins with https://, since Terraform takes no other", one)
		}
		urls = append(urls, one)
	}
	return dirs, urls, nil
}

// moduleMirrors reads the settings of module mirrors.
func moduleMirrors(given []string) (list []terraform.ModuleMirror, err error) {
	for _, one := range given {
		if !strings.Contains(one, "://") {
			dir, err := mirrorDir("--module-mirror", one)
			if err != nil {
				return nil, err
			}
			list = append(list, terraform.ModuleMirror{Dir: dir})
			continue
		}
		m := terraform.ModuleMirror{URL: one}
		if host, address, named := strings.Cut(one, "="); named && !strings.Contains(host, "/") {
			m.Host, m.URL = host, address
		}
		if u, err := url.Parse(m.URL); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return nil, berth.Errorf(berth.Invalid, "--module-mirror %s: give a directory, an address such as https://modules.example.com/v1/modules/, or HOST=ADDRESS", one)
		}
		list = append(list, m)
	}
	return list, nil
}

// mirrorDir checks a directory that a setting names.
func mirrorDir(flag, dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		return "", berth.Errorf(berth.Invalid, "%s %s is not a directory that can be read: correct it, or make it", flag, dir)
	}
	return abs, nil
}
