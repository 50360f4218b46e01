package server

import (
	"slices"
	"strings"
	"testing"

	"github.com/berthdev/berth/internal/terraform"
)

func TestMirrorSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dirs, urls, err := pluginMirrors([]string{dir, "https://mirror.example.com/plugins/"})
	if err != nil || !slices.Equal(dirs, []string{dir}) || !slices.Equal(urls, []string{"https://mirror.example.com/plugins/"}) {
		t.Errorf("%v %v %v", dirs, urls, err)
	}
	modules, err := moduleMirrors([]string{dir, "https://mods.example.com/v1/", "registry.example.com=http://10.0.0.1:8080/v1/modules"})
	want := []terraform.ModuleMirror{{Dir: dir}, {URL: "https://mods.example.com/v1/"}, {Host: "registry.example.com", URL: "http://10.0.0.1:8080/v1/modules"}}
	if err != nil || !slices.Equal(modules, want) {
		t.Errorf("%+v %v", modules, err)
	}
	for _, bad := range []string{dir + "/none", "http://mirror.example.com/", "https://name:secret@mirror.example.com/"} {
		if _, _, err := pluginMirrors([]string{bad}); err == nil || !strings.Contains(err.Error(), "--plugin-mirror") {
			t.Errorf("plugins %s: %v", bad, err)
		}
	}
	for _, bad := range []string{dir + "/none", "ftp://mods.example.com/", "https://"} {
		if _, err := moduleMirrors([]string{bad}); err == nil || !strings.Contains(err.Error(), "--module-mirror") {
			t.Errorf("modules %s: %v", bad, err)
		}
	}
	for list, want := range map[string]string{"/a:/b": "/a /b", "/a,https://b:1/c": "/a https://b:1/c", "https://b/c": "https://b/c"} {
		if got := strings.Join(strings.Split(list, separator(list)), " "); got != want {
			t.Errorf("%s: %s", list, got)
		}
	}
}
