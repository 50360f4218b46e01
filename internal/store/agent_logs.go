package store

import (
	"github.com/berthdev/berth"
)

// AgentLog is a line of an agent's log. Each process of the agent numbers its
// own lines.
type AgentLog struct {
	Boot int64
	berth.Log
}

// AppendAgentLogs keeps lines of the process boot of an agent: those behind what
// is there already, until its log has most bytes of text. full tells that lines
// were dropped. ok is false when the process is not the last that greeted. Logs
// of processes before the last two are removed.
func (tx *Tx) AppendAgentLogs(id berth.AgentID, boot int64, lines []berth.Log, most int64) (full, ok bool, err error) {
	bytes, err := all(&tx.Query, single[int64], `UPDATE agents SET log_bytes = log_bytes WHERE id = $1 AND boot = $2 RETURNING log_bytes`, id, boot)
	if err != nil || len(bytes) == 0 {
		return false, false, err
	}
	last, err := one(&tx.Query, "agent", single[int64], `SELECT COALESCE(max(seq), 0) FROM agent_logs WHERE agent_id = $1 AND boot = $2`, id, boot)
	if err != nil {
		return false, true, err
	}
	if last == 0 {
		if err := tx.trimAgentLogs(id, boot); err != nil {
			return false, true, err
		}
	}
	keep, size := fitting(lines, last, most-bytes[0])
	if size > 0 {
		if _, err := tx.exec(`UPDATE agents SET log_bytes = log_bytes + $2 WHERE id = $1`, id, size); err != nil {
			return false, true, err
		}
	}
	fresh := 0
	for _, l := range lines {
		if l.Seq > last {
			fresh++
		}
	}
	for batch := keep; len(batch) > 0; {
		n := min(len(batch), logBatch)
		var w where
		values := logValues(&w, batch[:n], id, boot)
		if _, err := tx.exec(`INSERT INTO agent_logs (agent_id, boot, seq, at, level, stage, source, text) VALUES `+
			values+` ON CONFLICT DO NOTHING`, w.args...); err != nil {
			return false, true, err
		}
		batch = batch[n:]
	}
	return len(keep) < fresh, true, nil
}

// trimAgentLogs keeps the log of the newest process before boot.
func (tx *Tx) trimAgentLogs(id berth.AgentID, boot int64) error {
	_, err := tx.exec(`DELETE FROM agent_logs WHERE agent_id = $1 AND boot <
		(SELECT COALESCE(max(boot), 0) FROM agent_logs WHERE agent_id = $1 AND boot < $2)`, id, boot)
	return err
}

// AgentLogs gives lines of an agent's log behind (boot, seq), oldest first.
func (q *Query) AgentLogs(id berth.AgentID, boot, seq int64, most int) ([]AgentLog, error) {
	return all(q, func(s scanner) (l AgentLog, err error) {
		err = s.Scan(append([]any{&l.Boot}, logInto(&l.Log)...)...)
		return l, err
	}, `SELECT boot, seq, at, level, stage, source, text FROM agent_logs
		WHERE agent_id = $1 AND (boot, seq) > ($2, $3) ORDER BY boot, seq LIMIT $4`, id, boot, seq, most)
}
