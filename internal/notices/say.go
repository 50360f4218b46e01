package notices

// What each kind says: what happened, why, and what to do about it.

func sayDormant(w words) (string, string) {
	title, will := w.short()+" sleeps now", ""
	if day := w.day("deleting_at"); day != "" {
		title += ", and will be deleted on " + day
		will = "Unless you wake it, it is deleted with everything in it on " + w.moment("deleting_at") + "."
	}
	return title, paragraphs(
		"Your workspace "+w.workspace()+" sleeps: it is stopped, and nothing starts it until you wake it. "+w.why(),
		will,
		command("To keep it:", "berth dormancy wake "+w.workspace()),
	)
}

func sayDeletionSoon(w words) (string, string) {
	since := ""
	if day := w.day("dormant_at"); day != "" {
		since = " It has been asleep since " + day + "."
	}
	if w.of("deleting_at") == "" {
		return w.short() + " will not be deleted any more", paragraphs(
			"Your workspace "+w.workspace()+" sleeps on, and is not deleted any more: its template does not do that now."+since,
			command("To wake it:", "berth dormancy wake "+w.workspace()),
		)
	}
	return w.short() + " will be deleted on " + w.day("deleting_at"), paragraphs(
		"Your workspace "+w.workspace()+" is deleted on "+w.moment("deleting_at")+", with everything in it. It cannot be brought back then."+since,
		command("To keep it:", "berth dormancy wake "+w.workspace()),
	)
}

func sayDeleted(w words) (string, string) {
	return w.short() + " was deleted", paragraphs(
		"Your workspace "+w.workspace()+" was deleted"+w.by()+", with everything in it. "+w.why(),
		command("To make a new one:", "berth create "+w.short()+" -t "+w.of("template")),
	)
}

func sayStopSoon(w words) (string, string) {
	do := command("To have it run longer:", "berth schedule extend "+w.workspace()+" 2h")
	if w.of("fixed") != "" {
		do = "Nothing moves this stop: save your work, and start the workspace again afterwards."
	}
	return w.short() + " stops at " + w.clock("at"), paragraphs(
		"Your workspace "+w.workspace()+" stops on "+w.moment("at")+". "+w.why(), do)
}

func sayAutomaticFailed(w words) (string, string) {
	what := map[string]string{"start": "started", "stop": "stopped", "delete": "deleted"}[w.of("transition")]
	if what == "" {
		what = "built"
	}
	return w.short() + " could not be " + what + " by itself", paragraphs(
		"Build "+w.of("build")+" of your workspace "+w.workspace()+", a "+w.of("transition")+" that nobody asked for, failed. "+w.why(),
		w.quoted("error"),
		command("To see all of it:", "berth logs "+w.workspace()+" --build "+w.of("build")),
	)
}

func sayBlocked(w words) (string, string) {
	return w.short() + " was not started by itself", paragraphs(
		"Your workspace "+w.workspace()+" was due to start, but it needs you first. "+w.why(),
		command("To answer, and start it:", "berth update "+w.workspace()),
	)
}

func sayUpdated(w words) (string, string) {
	return w.short() + " has a new version", paragraphs(
		"Your workspace "+w.workspace()+" was started by itself with the version "+w.of("version")+" of the template "+w.of("template")+".",
		command("To see what it has now:", "berth show "+w.workspace()),
	)
}

func sayOutOfMemory(w words) (string, string) {
	return w.short() + " runs out of memory", paragraphs(
		"The memory of your workspace "+w.workspace()+" is "+w.of("percent")+" % full. When it is full, the system ends programs in it.",
		command("To see what it uses:", "berth show "+w.workspace()),
	)
}

func sayOutOfDisk(w words) (string, string) {
	return w.of("path") + " is nearly full in " + w.short(), paragraphs(
		"In your workspace "+w.workspace()+", "+w.of("path")+" is "+w.of("percent")+" % full. Remove what you do not need before programs fail there.",
		command("To see what it uses:", "berth show "+w.workspace()),
	)
}

func sayDeprecated(w words) (string, string) {
	return "The template " + w.of("template") + " is deprecated", paragraphs(
		"No new workspaces are made from the template "+w.of("template")+", which you have workspaces of. Those still start and stop. Who manages it says:",
		w.quoted("reason"),
		command("To see yours:", "berth list -q template:"+w.of("template")),
	)
}

func sayBuildFailed(w words) (string, string) {
	return "A " + w.of("transition") + " of " + w.workspace() + " failed", paragraphs(
		"Build "+w.of("build")+" of "+w.workspace()+", a "+w.of("transition")+w.by()+" with the template "+w.of("template")+" (version "+w.of("version")+"), failed.",
		w.quoted("error"),
		command("To see all of it:", "berth logs "+w.workspace()+" --build "+w.of("build")),
	)
}

func sayCreated(w words) (string, string) {
	return w.workspace() + " was made", "The workspace " + w.workspace() + " was made" + w.by() + " from the template " + w.of("template") + "."
}

func sayUpdatedByHand(w words) (string, string) {
	return w.workspace() + " has another version",
		"The workspace " + w.workspace() + " was started" + w.by() + " with the version " + w.of("version") + " of the template " + w.of("template") + "."
}

func sayTemplateDeleted(w words) (string, string) {
	return "The template " + w.of("template") + " was deleted", "The template " + w.of("template") + " was deleted" + w.by() + ". It had no workspaces."
}

func sayUser(what string) func(words) (string, string) {
	return func(w words) (string, string) {
		return w.of("user") + " " + what, "The user " + w.of("user") + " " + what + w.by() + "."
	}
}

func sayAccountSuspended(words) (string, string) {
	return "You were suspended", "You cannot sign in to Berth for now, and your workspaces are stopped. What is in them stays.\n\nIf that is a mistake, ask who looks after Berth where you are."
}

func sayAccountActivated(words) (string, string) {
	return "You can sign in again", "You were let in again. Your workspaces are as they were; start those that you need."
}

func sayTest(w words) (string, string) {
	return "A test of Berth's notices", "This was sent" + w.by() + " to try whether notices arrive. They do. There is nothing to be done."
}
