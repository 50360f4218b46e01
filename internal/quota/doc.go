// Package quota decides and tells what people may still spend, and how many
// workspaces they may have.
package quota
