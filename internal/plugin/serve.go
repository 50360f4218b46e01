package plugin

// Main serves the plugin that the program's name asks for until Terraform ends it.
func Main(args []string) int { panic("not yet") }
