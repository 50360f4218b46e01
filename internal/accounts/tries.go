package accounts

type tries struct{}

func newTries() *tries { return &tries{} }
