package providers

type builtIn struct{}
