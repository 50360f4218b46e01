package httpapi

import (
	"net/url"
	"strings"
	"testing"
)

func TestLocalPath(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"/": "/", "/@ana/web/terminal?id=1&x=%20#y": "/@ana/web/terminal?id=1&x=%20#y", "/apps/open?to=https%3A%2F%2Fapp.example%2F": "/apps/open?to=https%3A%2F%2Fapp.example%2F",
		"/command-line/x": "/command-line/x", "/external-auth/github": "/external-auth/github",
		"": "/", "x": "/", "//evil.example": "/", "///evil.example": "/", "/\\evil.example": "/", "\\/evil.example": "/", "/\t/evil.example": "/", "/\n/evil.example": "/",
		"https://evil.example/": "/", "HTTPS:/evil.example": "/", "javascript:alert(1)": "/", "data:text/html,x": "/", "/%2f/evil.example": "/", "/.//evil.example": "/", "/x/..//evil.example": "/",
		"/%5cevil.example": "/", "/..": "/", "/api/v1/logout": "/", "/login": "/", "/login/out": "/", "/login/corp/callback?code=x": "/", "/external-auth/github/callback": "/",
		"/" + strings.Repeat("x", maxReturn): "/", "/é": "/", "@evil.example": "/", "/%zz": "/",
	} {
		if got := localPath(given); got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
}

func FuzzLocalPath(f *testing.F) {
	f.Add("/x?y=z")
	f.Add("//evil.example")
	f.Add("/\\evil.example")
	home, err := url.Parse("https://berth.test/login")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, given string) {
		got := localPath(given)
		u, err := url.Parse(got)
		if err != nil || !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n\t ") {
			t.Fatalf("%q becomes %q", given, got)
		}
		if at := home.ResolveReference(u); at.Host != "berth.test" || at.Scheme != "https" {
			t.Fatalf("%q leads to %s", given, at)
		}
		if again := localPath(got); again != got {
			t.Fatalf("%q becomes %q and that %q", given, got, again)
		}
	})
}
