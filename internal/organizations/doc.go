// Package organizations holds the use cases around tenants: organizations, their
// members, groups and settings, and which workspace providers they may use.
package organizations
