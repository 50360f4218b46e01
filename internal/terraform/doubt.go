package terraform

import (
	"maps"
	"slices"
	"strings"
)

// doubts are what plugins say of a creation that failed, though the object may be
// there: they were told to stop while the service was at it, or the service
// stopped answering, or it has made one of that name before.
var doubts = map[string]string{
	"context canceled":          "its plugin was told to stop, and the service may have made it all the same",
	"context deadline exceeded": "the service did not answer in time, and may have made it all the same",
	"connection reset":          "the service stopped answering, and may have made it all the same",
	"unexpected eof":            "the service stopped answering, and may have made it all the same",
	"already in use":            "there is one of that name, which a build before may have made",
	"already exists":            "there is one of that name, which a build before may have made",
	"alreadyexists":             "there is one of that name, which a build before may have made",
}

// doubt is why an object may be there though its creation failed; empty if it is
// not to be thought so.
func doubt(failed string) string {
	failed = strings.ToLower(failed)
	for _, word := range slices.Sorted(maps.Keys(doubts)) {
		if strings.Contains(failed, word) {
			return doubts[word]
		}
	}
	return ""
}
