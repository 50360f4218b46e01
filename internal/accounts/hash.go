package accounts

type hasher struct{}

func newHasher() *hasher { return &hasher{} }
