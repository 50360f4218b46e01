// Package apps lets a browser reach the apps and ports of workspaces, on origins
// that are never the dashboard's:
//
//	browser ── https://8080--main--web--ana.apps.example.com ──┐
//	browser ── https://apps.example.org/@ana/web/apps/code/  ──┤ Proxy ── Dial ── agent ── app
//	browser ── https://berth.example.com/apps/open?to=…      ──┘
//
// Guarantees:
//   - No app sees a login: cookies and tokens of Berth are taken out of what
//     goes to it, and it cannot set such a cookie.
//   - A browser is known on an app's origin by a session of its own, for that
//     host and that app alone, which it gets for a ticket: signed, good for a
//     minute, for one use, and only in the browser that asked for it.
//   - Whoever opens an app is asked for anew at most cacheFor later; what is
//     still open then is cut within cutWithin of the end of their access.
//   - Only the workspace's owner opens anything on the origin of path apps,
//     which all of them share.
//   - It sends a browser nowhere but to apps and to the access URL.
//
// It decides nothing about people and reads no database: who may open what, and
// where a workspace is, comes from functions. It limits no bandwidth, and does
// not rewrite what apps answer: an app that does not know that it lives under
// a path needs a host of its own.
package apps
