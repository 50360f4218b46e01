package server

// Schedules name time zones, and a bare machine has no database of them.
import _ "time/tzdata"
