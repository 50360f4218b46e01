package store

import "github.com/berthdev/berth"

// BuildTopic is woken when a build, or in this process its log, changed.
func BuildTopic(id berth.BuildID) string { return "build:" + string(id) }

// WorkspaceTopic is woken when something that a workspace's page shows changed.
func WorkspaceTopic(id berth.WorkspaceID) string { return "workspace:" + string(id) }

// UserTopic is woken when something changed that a user's workspaces act with.
func UserTopic(id berth.UserID) string { return "user:" + string(id) }

// ShutOutTopic is woken when somebody was suspended or deleted.
const ShutOutTopic = "shut out"

// LifecycleTopic is woken when the rules of some workspace are to be asked at
// once.
const LifecycleTopic = "lifecycle"

// NoticesTopic is woken when there is something to send.
const NoticesTopic = "notices"

// AccessTopic is woken when who may use a workspace or a template, or what is in
// it, changed.
func AccessTopic(id string) string { return "access:" + id }

// QueueTopic is woken when a provider has a build to take.
func QueueTopic(id berth.ProviderID) string { return "queue:" + string(id) }

// WakeHere is Wake without telling other replicas: for what changes many times a
// second, such as logs.
func (db *DB) WakeHere(topic string) { db.hub.wake(topic) }
