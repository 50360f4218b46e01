package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// FileName is the name of the record in a journal's directory.
const FileName = "changes"

// Event says what a record tells.
type Event string

const (
	Opened   Event = "opened"   // the journal was begun
	Released Event = "released" // the plan was judged; Plan has it
	Schema   Event = "schema"   // the shape of a resource type, before its first change
	Begun    Event = "begun"    // a change is about to be made
	Ended    Event = "ended"    // it was made, or failed
)

// Record is one line of the journal. A change has two: without the second one,
// nobody knows whether it was made.
type Record struct {
	Event  Event     `json:"event"`
	At     time.Time `json:"at"`
	Plan   []Change  `json:"plan,omitempty"`
	Engine string    `json:"engine,omitempty"` // version of terraform

	Source string `json:"source,omitempty"` // of the plugin
	Type   string `json:"type,omitempty"`
	Shape  []byte `json:"shape,omitempty"` // the schema as the plugin sent it

	// Seq is the change that begins or ends; from 1.
	Seq    int64  `json:"seq,omitempty"`
	Action string `json:"action,omitempty"` // create, update or delete
	// Addresses are the objects of the plan that it may be of: one where that is
	// known, several where it is not.
	Addresses []string `json:"addresses,omitempty"`
	// Prior, Planned, Config and State are values as the plugin protocol has them.
	Prior   []byte `json:"prior,omitempty"`
	Planned []byte `json:"planned,omitempty"`
	Config  []byte `json:"config,omitempty"`
	State   []byte `json:"state,omitempty"`
	Private []byte `json:"private,omitempty"`
	Failed  string `json:"failed,omitempty"` // what the plugin said went wrong
	// Lost says that the plugin gave no answer: nobody knows whether the change
	// was made.
	Lost string `json:"lost,omitempty"`
}

// Change is one that the judged plan has.
type Change struct {
	Address string   `json:"address"`
	Type    string   `json:"type"`
	Actions []string `json:"actions"`
}

// book writes records. Each is on the disk when write returns.
type book struct {
	mu   sync.Mutex
	file *os.File
	torn bool // the last line may not be whole
}

func openBook(path string) (*book, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &book{file: file}, nil
}

func (b *book) write(r Record) error {
	r.At = time.Now()
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.torn {
		line = append([]byte{'\n'}, line...)
	}
	_, err = b.file.Write(append(line, '\n'))
	b.torn = err != nil
	return errors.Join(err, b.file.Sync())
}

// Read reads a journal's file. A line that was cut is left out: what it tells of
// had not happened yet, as a change is made only after its record was whole.
func Read(text []byte) ([]Record, error) {
	var list []Record
	for line := range bytes.SplitSeq(text, []byte{'\n'}) {
		var r Record
		if len(line) == 0 || json.Unmarshal(line, &r) != nil {
			continue
		}
		list = append(list, r)
	}
	if len(list) == 0 || list[0].Event != Opened {
		return nil, fmt.Errorf("this is not the journal of a build")
	}
	return list, nil
}
